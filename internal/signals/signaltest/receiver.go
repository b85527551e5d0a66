package signaltest

import (
	"context"
	"encoding/hex"
	"net"
	"sync"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
)

// Span is what a test asks about one.
type Span struct {
	Trace, ID, Parent, Name string
	About                   map[string]string
}

// Receiver keeps everything that it is sent.
type Receiver struct {
	collector.UnimplementedTraceServiceServer

	Endpoint string

	mu    sync.Mutex
	spans []Span
	raw   []byte
}

// Start listens on loopback until the test ends.
func Start(t *testing.T) *Receiver {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &Receiver{Endpoint: "http://" + l.Addr().String()}
	s := grpc.NewServer()
	collector.RegisterTraceServiceServer(s, r)
	go func() { _ = s.Serve(l) }() // ends with Stop
	t.Cleanup(s.Stop)
	return r
}

// Export takes spans.
func (r *Receiver) Export(_ context.Context, in *collector.ExportTraceServiceRequest) (*collector.ExportTraceServiceResponse, error) {
	raw, err := proto.Marshal(in)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.raw = append(r.raw, raw...)
	for _, of := range in.GetResourceSpans() {
		for _, scope := range of.GetScopeSpans() {
			for _, s := range scope.GetSpans() {
				about := map[string]string{}
				for _, a := range s.GetAttributes() {
					about[a.GetKey()] = a.GetValue().GetStringValue()
				}
				r.spans = append(r.spans, Span{hex.EncodeToString(s.GetTraceId()), hex.EncodeToString(s.GetSpanId()), hex.EncodeToString(s.GetParentSpanId()), s.GetName(), about})
			}
		}
	}
	return &collector.ExportTraceServiceResponse{}, nil
}

// Spans are all that came.
func (r *Receiver) Spans() []Span {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Span(nil), r.spans...)
}

// Raw is all that came, as bytes: attributes, events, statuses, whatever there is.
func (r *Receiver) Raw() []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]byte(nil), r.raw...)
}

// Way is the names of the spans from the root of its trace down to a span.
func (r *Receiver) Way(to Span) (names []string) {
	byID := map[string]Span{}
	for _, s := range r.Spans() {
		byID[s.ID] = s
	}
	for s, there := to, true; there; s, there = byID[s.Parent] {
		names = append([]string{s.Name}, names...)
	}
	return names
}
