package sandbox

import (
	"encoding/json"
	"io"
	"net/http"
	"time"
)

// Actors of the world log. The admin token's holder is the responder; anybody else says who they are with
// ActorHeader, which only the sandbox's own people send.
const (
	ActorHeader    = "X-Sandbox-Actor"
	ActorAttacker  = "attacker"
	ActorResponder = "responder"
	ActorUnknown   = "unknown"
)

// Faults that are not a status: what a broken network or proxy does.
const (
	FaultGarbage = -1 // 200 with a body that is not what was asked for
	FaultHang    = -2 // no answer until the client gives up
	FaultLost    = -3 // the request is obeyed, but its answer never arrives
)

const bodyLimit = 1 << 20

// Fault makes the next n requests of service answer with status (or one of the Fault constants) instead of
// being obeyed. Services are named as in Entry.Service.
func (w *World) Fault(service string, status, n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for range n {
		w.faults[service] = append(w.faults[service], status)
	}
}

// Mend takes away every fault of service that has not been played yet.
func (w *World) Mend(service string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.faults, service)
}

// nextFault takes the next fault of service; 0 means none.
func (w *World) nextFault(service string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	list := w.faults[service]
	if len(list) == 0 {
		return 0
	}
	w.faults[service] = list[1:]
	return list[0]
}

// call is one request on its way through a service: what came in, and the log entry that it will leave.
type call struct {
	r     *http.Request
	body  []byte
	entry Entry
}

// reply is what a service answers; body is encoded as JSON unless it is nil or []byte.
type reply struct {
	status int
	body   any
	header http.Header
}

func ok(body any) reply { return reply{status: http.StatusOK, body: body} }

// serve makes a handler out of h: it limits the body, plays the faults, holds the world's lock while h runs, writes
// the log entry before the answer leaves, and encodes the answer. refuse words an error as the service does.
func (w *World) serve(service string, refuse func(status int) reply, h func(*call) reply) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, bodyLimit))
		c := &call{r: r, body: body, entry: Entry{Service: service, Method: r.Method, Path: r.URL.Path, Actor: actorOf(r)}}
		fault, handle := w.nextFault(service), h
		switch {
		case err != nil:
			handle = func(*call) reply { return refuse(http.StatusRequestEntityTooLarge) }
		case fault == FaultHang:
			<-r.Context().Done()
			return
		case fault == FaultGarbage:
			handle = func(*call) reply {
				return reply{status: http.StatusOK, body: []byte("<html>upstream says hello</html>")}
			}
		case fault > 0:
			handle = func(*call) reply { return faultReply(refuse(fault)) }
		}
		answer := w.run(c, handle)
		w.deliver()
		if fault == FaultLost {
			panic(http.ErrAbortHandler) // net/http closes the connection without an answer
		}
		writeReply(rw, answer)
	})
}

// run lets h judge the call and records it, in one critical section: an entry's time is the time of the judgement.
func (w *World) run(c *call, h func(*call) reply) reply {
	w.mu.Lock()
	defer w.mu.Unlock()
	c.entry.T = w.Now()
	answer := h(c)
	c.entry.Status = answer.status
	if answer.status >= 400 {
		c.entry.Effect, c.entry.USD = "", 0
	}
	w.recordLocked(c.entry)
	return answer
}

func faultReply(answer reply) reply {
	if answer.status == http.StatusTooManyRequests || answer.status == http.StatusServiceUnavailable {
		if answer.header == nil {
			answer.header = http.Header{}
		}
		answer.header.Set("Retry-After", "7")
	}
	return answer
}

func writeReply(rw http.ResponseWriter, answer reply) {
	for name, values := range answer.header {
		rw.Header()[name] = values
	}
	switch body := answer.body.(type) {
	case nil:
		rw.WriteHeader(answer.status)
	case []byte:
		if rw.Header().Get("Content-Type") == "" {
			rw.Header().Set("Content-Type", "text/html; charset=UTF-8")
		}
		rw.WriteHeader(answer.status)
		_, _ = rw.Write(body)
	default:
		if rw.Header().Get("Content-Type") == "" {
			rw.Header().Set("Content-Type", "application/json; charset=UTF-8")
		}
		rw.WriteHeader(answer.status)
		_ = json.NewEncoder(rw).Encode(body)
	}
}

func actorOf(r *http.Request) string {
	if actor := r.Header.Get(ActorHeader); actor != "" {
		return actor
	}
	return ActorUnknown
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
