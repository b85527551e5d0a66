package activities

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/integrations/secretstores"
	"github.com/tourniquet-ir/tourniquet/integrations/secretstores/github"
	"github.com/tourniquet-ir/tourniquet/integrations/tickets/github/api"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
)

// hub is a repository whose secret is the dependent, in a world whose clock a test sets: GitHub tells that a secret was
// written by the second in which it was.
type hub struct {
	*sandbox.GitHub
	world *sandbox.World
	late  atomic.Int64 // seconds that the world is ahead
}

func (b *bench) withHub(t *testing.T) (*hub, wire.Call) {
	t.Helper()
	h := &hub{}
	h.world = sandbox.NewWorld(sandbox.Options{Now: func() time.Time { return time.Now().Add(time.Duration(h.late.Load()) * time.Second) }})
	h.GitHub = h.world.GitHub()
	h.AddRepo("acme", "shop", "deploy.yml")
	h.SetSecret("acme", "shop", "", "GEMINI_API_KEY", "the old value")
	server := httptest.NewServer(h.GitHub)
	t.Cleanup(server.Close)
	client := must(api.New(api.Options{BaseURL: server.URL, Token: h.Token()}))(t)
	b.h.Stores = []secretstores.Store{github.New(client)}

	made := madeKey(t, b.done(t, b.call("key.create", "like", nil)))
	c := b.call("dependent.update", "dependent", nil)
	c.With = map[string]any{"key": made, "dependent": incident.Dependent{
		ID: "acme/shop:GEMINI_API_KEY", Kind: github.KindActions,
		Address:  map[string]string{"owner": "acme", "repo": "shop", "name": "GEMINI_API_KEY"},
		Redeploy: map[string]string{"workflow": "deploy.yml", "ref": "main"},
	}}
	return h, c
}

// count is how often the world obeyed a method on paths that contain a part.
func (h *hub) count(method, part string) (n int) {
	for _, e := range h.world.Entries() {
		if e.Method == method && strings.Contains(e.Path, part) && e.Status < 400 {
			n++
		}
	}
	return n
}

func TestADependentGetsTheSealedValueOnlyUnderAGrant(t *testing.T) {
	t.Parallel()
	b := build(t)
	h, c := b.withHub(t)
	_, err := b.do(t, c)
	refused(t, err, wire.ErrRefused)
	if n := h.count(http.MethodPut, "/secrets/"); n != 0 {
		t.Fatalf("the secret was written %d times without a grant", n)
	}
	g := b.grant(t, c, "ann", "bob")
	c.Grant = &g
	b.done(t, c)
	made := madeKey(t, wire.Result{Outputs: c.With})
	want := must(b.h.DB.OpenSealed(t.Context(), *made.Secret))(t)
	if got, _ := h.Secret("acme", "shop", "", "GEMINI_API_KEY"); got != string(want) {
		t.Error("the dependent does not hold the new key")
	}
}

func TestALostAnswerOfADependentNeverWritesOverAnotherValue(t *testing.T) {
	t.Parallel()
	for name, written := range map[string]bool{"somebody wrote it since": true, "it is as signed": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := build(t)
			h, c := b.withHub(t)
			g := b.grant(t, c, "ann", "bob")
			c.Grant = &g
			b.started(t, c)
			writes := 1
			if written {
				h.late.Store(60)
				h.SetSecret("acme", "shop", "", "GEMINI_API_KEY", "a later value")
				writes = 0
			}
			res := b.done(t, c)
			if n := h.count(http.MethodPut, "/secrets/"); n != writes || res.Already != written {
				t.Errorf("the secret was written %d times, want %d: %+v", n, writes, res)
			}
			if n := h.count(http.MethodPost, "/dispatches"); n != 1 {
				t.Errorf("the dependent was restarted %d times", n)
			}
			if rows := must(b.h.DB.Calls(t.Context(), "run-1"))(t); len(rows) != 1 || rows[0].State != "done" {
				t.Errorf("the rows are %+v", rows)
			}
		})
	}
}
