package hook

import (
	"context"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc"
)

// transport marks every call to the outside before it is sent and after it was answered.
type transport struct{ next http.RoundTripper }

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	what := r.Method + " " + path(r.URL.Path)
	seen(r)
	if r.Method == http.MethodGet {
		return t.next.RoundTrip(r) // it changes nothing
	}
	At(r.Context(), Before, "http", what)
	res, err := t.next.RoundTrip(r)
	if err == nil {
		At(r.Context(), After, "http", what)
	}
	return res, err
}

// Talk is the class of the lines that say with whom the process spoke.
const Talk = "talk"

// seen leaves such a line.
func seen(r *http.Request) {
	if s := the(); s.trace != nil {
		s.at(Before, Talk, "", r.URL.Host)
	}
}

var name = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f-]{20,}|[A-Z0-9_]{6,}|[0-9]{2,}`)

// path keeps the words of a path and takes the names off, except for those that say which key or secret it is about: these
// stay in quotes, which the class leaves out.
func path(p string) string {
	return name.ReplaceAllStringFunc(p, func(s string) string { return `"` + s + `"` })
}

// durable are the calls with which Temporal is made to remember something.
var durable = []string{
	"StartWorkflowExecution", "SignalWorkflowExecution", "UpdateWorkflowExecution", "ExecuteMultiOperation", "RequestCancelWorkflowExecution",
	"RespondWorkflowTaskCompleted", "RespondWorkflowTaskFailed", "RespondActivityTaskCompleted", "RespondActivityTaskFailed",
}

// Dial marks what is told to Temporal.
func Dial() grpc.DialOption {
	return grpc.WithChainUnaryInterceptor(func(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, call grpc.UnaryInvoker, opts ...grpc.CallOption) error {
		short := method[strings.LastIndex(method, "/")+1:]
		if !slices.Contains(durable, short) {
			return call(ctx, method, req, reply, cc, opts...)
		}
		what := short
		if who := subject(req); who != "" {
			what += ` "inc-` + who + `"`
		}
		At(ctx, Before, "temporal", what)
		err := call(ctx, method, req, reply, cc, opts...)
		if err == nil {
			At(ctx, After, "temporal", what)
		}
		return err
	})
}

// subject is the incident that a request is about. A task's token holds the workflow's id as it is.
func subject(req any) string {
	switch r := req.(type) {
	case *workflowservice.StartWorkflowExecutionRequest:
		return Whose(r.GetWorkflowId())
	case *workflowservice.SignalWorkflowExecutionRequest:
		return Whose(r.GetWorkflowExecution().GetWorkflowId())
	case *workflowservice.UpdateWorkflowExecutionRequest:
		return Whose(r.GetWorkflowExecution().GetWorkflowId())
	case *workflowservice.RequestCancelWorkflowExecutionRequest:
		return Whose(r.GetWorkflowExecution().GetWorkflowId())
	}
	if r, ok := req.(interface{ GetTaskToken() []byte }); ok {
		return Whose(string(r.GetTaskToken()))
	}
	return ""
}
