package openai_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/openai"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
)

const project = "proj_shop"

// requests remembers what was asked, for the check against OpenAI's own description.
type requests struct {
	next http.Handler
	mu   sync.Mutex
	list []*http.Request
}

func (s *requests) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.list = append(s.list, r.Clone(context.Background()))
	s.mu.Unlock()
	s.next.ServeHTTP(rw, r)
}

type house struct {
	world    *sandbox.World
	server   *httptest.Server
	provider *openai.Provider
	stolen   sandbox.Key
	app      *sandbox.Dependent
	seen     *requests
}

func build(t *testing.T, token string) house {
	t.Helper()
	world := sandbox.NewWorld(sandbox.Options{RevocationDelay: 150 * time.Millisecond})
	seen := &requests{next: world.OpenAI()}
	server := httptest.NewServer(seen)
	t.Cleanup(server.Close)
	if token == "" {
		token = world.AdminToken()
	}
	provider, err := openai.New(openai.Config{Account: "main", Project: project, BaseURL: server.URL + "/v1", AdminKey: token})
	if err != nil {
		t.Fatal(err)
	}
	stolen := world.NewOpenAIKey(sandbox.OpenAIKey{Project: project, Name: "shop"})
	app := sandbox.NewDependent("shop", nil, sandbox.OpenAICall, server.URL, stolen.Secret())
	return house{world, server, provider, stolen, app, seen}
}

func (h house) key() incident.Key {
	return incident.Key{Provider: "openai", Account: "main", Project: project, ID: h.stolen.ID, Name: "shop"}
}

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// spend makes the application call until the project has cost more than a cent.
func (h house) spend(t *testing.T) int {
	t.Helper()
	calls := 0
	for ; h.world.Spent("dependent:shop") <= 0.011; calls++ {
		if err := h.app.Healthy(within(t)); err != nil {
			t.Fatal(err)
		}
	}
	return calls
}

func TestAStolenKeyIsContainedRestoredAndRevoked(t *testing.T) {
	t.Parallel()
	h, ctx := build(t, ""), within(t)
	found := must[[]incident.Key](t)(h.provider.Identify(ctx, incident.Clue{}, []byte(h.stolen.Secret())))
	if len(found) != 1 || found[0].ID != h.stolen.ID || found[0].OwnerKind != "user" {
		t.Fatalf("identified %+v", found)
	}
	key := found[0]
	h.spend(t)
	before := must[keys.State](t)(h.provider.State(ctx, keys.OpContain, key))
	receipt := must[keys.Receipt](t)(h.provider.Contain(ctx, key))
	after := must[keys.State](t)(h.provider.State(ctx, keys.OpContain, key))
	if before.Done || !after.Done || after.Fields["project_spend_limit"] != receipt.After["project_spend_limit"] {
		t.Fatalf("before %+v, after %+v, receipt %+v", before, after, receipt)
	}
	if err := h.app.Healthy(ctx); err == nil || !strings.Contains(err.Error(), "429") {
		t.Fatalf("the contained project still serves: %v", err)
	}
	must[keys.Receipt](t)(h.provider.Restore(ctx, key, before.Undo))
	must[keys.Receipt](t)(h.provider.Restore(ctx, key, before.Undo))
	if err := h.app.Healthy(ctx); err != nil {
		t.Fatal(err)
	}
	must[keys.Receipt](t)(h.provider.Restore(ctx, key, json.RawMessage(`{"threshold_cents":5000}`)))
	if got := must[keys.State](t)(h.provider.State(ctx, keys.OpContain, key)); got.Fields["project_spend_limit"] != "5000 cents a month" {
		t.Fatalf("the former limit is not back: %+v", got)
	}
	must[keys.Receipt](t)(h.provider.Revoke(ctx, key))
	must[keys.Receipt](t)(h.provider.Revoke(ctx, key))
	for {
		got := must[keys.Probed](t)(h.provider.Probe(ctx, key, []byte(h.stolen.Secret())))
		if got.State == keys.ProbeRefused {
			break
		}
		select {
		case <-ctx.Done():
			t.Fatalf("the probe still says %+v", got)
		case <-time.After(5 * time.Millisecond):
		}
	}
	finals := 0
	for _, e := range h.world.Entries() {
		if e.Effect == sandbox.EffectFinal {
			finals++
		}
	}
	if state := must[keys.State](t)(h.provider.State(ctx, keys.OpRevoke, key)); !state.Done || finals != 1 {
		t.Fatalf("after revoking twice: %+v, %d final effects", state, finals)
	}
}

func randomText(t *testing.T, n int) string {
	t.Helper()
	return must[string](t)(rand.Text()[:n], nil)
}

func TestAHintThatFitsSeveralKeysReturnsThemAll(t *testing.T) {
	t.Parallel()
	h, ctx := build(t, ""), within(t)
	tail := h.stolen.Secret()[len(h.stolen.Secret())-4:]
	h.world.NewOpenAIKey(sandbox.OpenAIKey{Project: project, Name: "twin", Value: "sk-" + "proj-" + randomText(t, 24) + tail})
	for range 120 { // the twins are not on one page
		h.world.NewOpenAIKey(sandbox.OpenAIKey{Project: project, Name: "other", Value: "sk-" + "proj-" + randomText(t, 24) + "-" + randomText(t, 3)})
	}
	last := h.world.NewOpenAIKey(sandbox.OpenAIKey{Project: project, Name: "triplet", Value: "sk-" + "proj-" + randomText(t, 24) + tail})
	for _, hint := range []string{"sk-…" + tail, "sk-proj-****" + tail, "sk-proj-..." + tail} {
		found := must[[]incident.Key](t)(h.provider.Identify(ctx, incident.Clue{Hint: hint}, nil))
		if len(found) != 3 || found[2].ID != last.ID {
			t.Errorf("%q fits %d keys, want 3", hint, len(found))
		}
	}
	if found := must[[]incident.Key](t)(h.provider.Identify(ctx, incident.Clue{ID: "key_nobody"}, nil)); len(found) != 0 {
		t.Errorf("an unknown id is %+v", found)
	}
	for _, r := range h.seen.list {
		if strings.HasSuffix(r.URL.Path, "/api_keys") && r.URL.Query().Get("owner_project_access") != "any" {
			t.Errorf("a list leaves keys out: %s", r.URL.RawQuery)
		}
	}
}

func TestCreateHappensOnceAndOrphansFindsIt(t *testing.T) {
	t.Parallel()
	h, ctx := build(t, ""), within(t)
	made := must[keys.Created](t)(h.provider.Create(ctx, h.key(), "run-7"))
	if got := must[keys.Probed](t)(h.provider.Probe(ctx, made.Key, made.Secret)); got.State != keys.ProbeWorking {
		t.Fatalf("the new key is %+v", got)
	}
	h.world.Fault("openai-admin", sandbox.FaultLost, 1)
	if _, err := h.provider.Create(ctx, h.key(), "run-8"); err == nil || keys.IsPermanent(err) {
		t.Fatalf("a lost answer gave %v", err)
	}
	orphans := must[[]incident.Key](t)(h.provider.Orphans(ctx, h.key(), "run-8"))
	if len(orphans) != 1 {
		t.Fatalf("%d orphans after one lost answer", len(orphans))
	}
	must[keys.Receipt](t)(h.provider.Revoke(ctx, orphans[0]))
	if left := must[[]incident.Key](t)(h.provider.Orphans(ctx, h.key(), "run-8")); len(left) != 0 {
		t.Fatalf("%d orphans are left", len(left))
	}
}

func TestAKeyThatOnlyItsAccountCanEndAsksForAPerson(t *testing.T) {
	t.Parallel()
	h := build(t, "")
	k := h.world.NewOpenAIKey(sandbox.OpenAIKey{Project: project, Name: "robot", Service: true, RefuseDelete: true})
	_, err := h.provider.Revoke(within(t), incident.Key{Project: project, ID: k.ID})
	if !keys.IsPermanent(err) || !strings.Contains(err.Error(), `the service account "robot"`) {
		t.Fatalf("got %v", err)
	}
}

func TestUsageAndPersistenceTellWhatTheWorldSaw(t *testing.T) {
	t.Parallel()
	h, ctx := build(t, ""), within(t)
	calls := h.spend(t)
	planted := h.world.NewOpenAIKey(sandbox.OpenAIKey{Project: project, Name: "backup", Email: "thief@evil.example"})
	usage := must[keys.Usage](t)(h.provider.Usage(ctx, h.key(), time.Now().Add(-time.Hour), time.Now()))
	if usage.Requests != int64(calls) || usage.Tokens == 0 || usage.Rows[0].Model != "gpt-5" || len(usage.Raw) != 11 || usage.Incomplete != "" {
		t.Fatalf("%d requests, %d tokens, %d answers, incomplete %q after %d calls", usage.Requests, usage.Tokens, len(usage.Raw), usage.Incomplete, calls)
	}
	if d := float64(usage.MicroUSD)/1e6 - h.world.Spent("dependent:shop"); d > 1e-4 || d < -1e-4 || usage.CostBasis != "billed, whole UTC days" {
		t.Fatalf("billed %d, the world charged %v", usage.MicroUSD, h.world.Spent("dependent:shop"))
	}
	traces, raw, err := h.provider.Persistence(ctx, h.key(), time.Now().Add(-time.Minute))
	if err != nil || len(raw) == 0 || len(traces) != 2 || !strings.HasPrefix(traces[0].Actor, "thief@evil.example") || !strings.Contains(traces[0].What, planted.ID) {
		t.Fatalf("traces %+v, error %v", traces, err)
	}
}
