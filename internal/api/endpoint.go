package api

import (
	"context"
	"encoding/json"
	"net/http"
	"reflect"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/people"
	"github.com/tourniquet-ir/tourniquet/internal/report"
)

// Caller is who asks. A caller without a person came by the one-time link of a drill.
type Caller struct {
	Person  incident.Person
	Bearer  bool   // by personal token rather than by a browser's session
	Surface string // under which name the attempt is written down
	Detail  bool   // may see what calls were given and gave back
}

// Endpoint is one method on one path.
type Endpoint struct {
	Method, Path string // the path as net/http's mux writes it
	ID           string // of the operation, for clients that are generated
	Summary      string
	Right        people.Right // empty: whoever is signed in
	Status       int          // of a good answer
	In           reflect.Type // path, query and body; nil: nothing
	Out          reflect.Type // of the JSON answer; nil where Media says more
	Media        []string     // of an answer that is not JSON alone
	Open         bool         // needs no sign-in of ours: sources prove themselves in their own way
	AnyBody      bool         // the body is the sender's own format
	More         map[int]string
	Serve        func(w http.ResponseWriter, r *http.Request, c Caller) // nil: somebody else serves it, it is only described
}

// None is what a handler takes that needs nothing.
type None struct{}

// JSON is an endpoint whose handler takes an In, read from path, query and body, and gives an Out. Fields of In say where
// they come from: `path:"id"`, `query:"text"`, or `json:"…"` for the body.
func JSON[In, Out any](method, path, id, summary string, right people.Right, status int, do func(context.Context, Caller, In) (Out, error)) Endpoint {
	return Endpoint{
		Method: method, Path: path, ID: id, Summary: summary, Right: right, Status: status,
		In: reflect.TypeFor[In](), Out: reflect.TypeFor[Out](),
		Serve: func(w http.ResponseWriter, r *http.Request, c Caller) {
			var in In
			if err := bind(w, r, &in); err != nil {
				Refuse(w, err)
				return
			}
			out, err := do(r.Context(), c, in)
			if err != nil {
				Refuse(w, err)
				return
			}
			Send(w, status, out)
		},
	}
}

// Raw is an endpoint that writes its own answer, of one of these media types. In describes path and query.
func Raw[In any](method, path, id, summary string, right people.Right, media []string, serve func(http.ResponseWriter, *http.Request, Caller, In)) Endpoint {
	return Endpoint{
		Method: method, Path: path, ID: id, Summary: summary, Right: right, Status: http.StatusOK, In: reflect.TypeFor[In](), Media: media,
		Serve: func(w http.ResponseWriter, r *http.Request, c Caller) {
			var in In
			if err := bind(w, r, &in); err != nil {
				Refuse(w, err)
				return
			}
			serve(w, r, c, in)
		},
	}
}

// Page is one page of a list; Next is the value of before for the page after it, empty on the last one.
type Page[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next"`
}

// List is a page that is never null.
func List[T any](items []T, next string) Page[T] {
	if items == nil {
		items = []T{}
	}
	return Page[T]{items, next}
}

// Send answers with JSON in which hidden and bidirectional characters are escaped.
func Send(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		http.Error(w, "the answer could not be written as JSON", http.StatusInternalServerError)
		return
	}
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "application/json")
	}
	w.WriteHeader(status)
	_, _ = w.Write(append(report.Neutral(body), '\n')) // who went away does not need the rest
}
