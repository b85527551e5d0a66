package gemini_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/gemini"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
)

const revocationDelay = 150 * time.Millisecond

// house is a world with one stolen key and a provider that responds to its theft.
type house struct {
	world    *sandbox.World
	server   *httptest.Server
	provider *gemini.Provider
	stolen   sandbox.Key
	seen     *requests
}

func build(t *testing.T, token string) house {
	t.Helper()
	world := sandbox.NewWorld(sandbox.Options{RevocationDelay: revocationDelay, ContainDelay: 30 * time.Millisecond})
	seen := &requests{next: world.Google()}
	server := httptest.NewServer(seen)
	t.Cleanup(server.Close)
	if token == "" {
		token = world.AdminToken()
	}
	at := server.URL
	provider, err := gemini.New(gemini.Config{
		Account: "main", Project: "acme-prod", TokenSource: oauth2.StaticTokenSource(&oauth2.Token{AccessToken: token}),
		Endpoints:          gemini.Endpoints{APIKeys: at, ServiceUsage: at, Monitoring: at, Logging: at, Generative: at, IAM: at, Token: at + "/token"},
		MicroUSDPerRequest: 2000, PriceBasis: "test price",
	})
	if err != nil {
		t.Fatal(err)
	}
	stolen := world.NewGeminiKey(sandbox.GeminiKey{Project: "acme-prod", Name: "shop"})
	return house{world, server, provider, stolen, seen}
}

func (h house) key() incident.Key {
	return incident.Key{Provider: "gemini", Account: "main", Project: "acme-prod", ID: h.stolen.ID, UID: h.stolen.UID, Name: "shop"}
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

func (h house) probe(t *testing.T, want, detail string) {
	t.Helper()
	got := must[keys.Probed](t)(h.provider.Probe(within(t), h.key(), []byte(h.stolen.Secret())))
	if got.State != want || !strings.Contains(got.Detail, detail) {
		t.Fatalf("the probe says %q (%s), want %q with %q", got.State, got.Detail, want, detail)
	}
}

func (h house) probeUntil(t *testing.T, want string) {
	t.Helper()
	ctx := within(t)
	for {
		got := must[keys.Probed](t)(h.provider.Probe(ctx, h.key(), []byte(h.stolen.Secret())))
		if got.State == want {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("the probe still says %q", got.State)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func TestAStolenKeyIsContainedRestoredAndRevoked(t *testing.T) {
	t.Parallel()
	h, ctx := build(t, ""), within(t)

	found := must[[]incident.Key](t)(h.provider.Identify(ctx, incident.Clue{}, []byte(h.stolen.Secret())))
	if len(found) != 1 || found[0].ID != h.stolen.ID || found[0].UID != h.stolen.UID || found[0].Hint != h.stolen.Hint() || found[0].Project != "acme-prod" {
		t.Fatalf("identified %+v", found)
	}
	key := found[0]
	h.probe(t, keys.ProbeWorking, "200")
	before := must[keys.State](t)(h.provider.State(ctx, keys.OpContain, key))
	revokeBefore := must[keys.State](t)(h.provider.State(ctx, keys.OpRevoke, key))

	receipt := must[keys.Receipt](t)(h.provider.Contain(ctx, key))
	after := must[keys.State](t)(h.provider.State(ctx, keys.OpContain, key))
	if before.Done || !after.Done || after.Fields["restrictions"] != receipt.After["restrictions"] {
		t.Fatalf("contained: before %+v, after %+v, receipt %+v", before, after, receipt)
	}
	h.probe(t, keys.ProbeRefused, "API_KEY_SERVICE_BLOCKED (blocked by the key's restriction")
	if now := must[keys.State](t)(h.provider.State(ctx, keys.OpRevoke, key)); now.Fields["uid"] != revokeBefore.Fields["uid"] || len(now.Fields) != 3 {
		t.Fatalf("containing changed what revoking relies on: %+v", now)
	}

	must[keys.Receipt](t)(h.provider.Restore(ctx, key, before.Undo))
	h.probe(t, keys.ProbeWorking, "200")
	if back := must[keys.State](t)(h.provider.State(ctx, keys.OpContain, key)); back.Fields["restrictions"] != before.Fields["restrictions"] {
		t.Fatalf("restored to %q, want %q", back.Fields["restrictions"], before.Fields["restrictions"])
	}

	must[keys.Receipt](t)(h.provider.Revoke(ctx, key))
	h.probeUntil(t, keys.ProbeRefused)
	h.probe(t, keys.ProbeRefused, "400 API_KEY_INVALID")
	must[keys.Receipt](t)(h.provider.Revoke(ctx, key))
	if finals := h.count(sandbox.EffectFinal, h.stolen.ID); finals != 1 {
		t.Fatalf("revoking twice had %d final effects", finals)
	}

	must[keys.Receipt](t)(h.provider.Restore(ctx, key, before.Undo))
	h.probeUntil(t, keys.ProbeWorking)
}

func (h house) count(effect, key string) (n int) {
	for _, e := range h.world.Entries() {
		if e.Effect == effect && e.Key == key {
			n++
		}
	}
	return n
}

func TestIdentifyTellsOneNoneAndManyApart(t *testing.T) {
	t.Parallel()
	h, ctx := build(t, ""), within(t)
	twin := h.world.NewGeminiKey(sandbox.GeminiKey{Project: "acme-prod", Name: "twin"})
	stranger := h.world.NewGeminiKey(sandbox.GeminiKey{Project: "other-team", Name: "theirs"})

	tail := h.stolen.Secret()[35:]
	for clue, want := range map[incident.Clue]int{
		{ID: h.stolen.ID}: 1, {ID: h.stolen.UID}: 1, {ID: "apikey:" + twin.UID}: 1, {ID: "no-such-key"}: 0,
		{Hint: "AIza…" + tail}: 1, {Hint: "AIza..." + tail}: 1, {Hint: "AIza…!!!!"}: 0, {Hint: "AIza"}: 0, {}: 0,
	} {
		if found := must[[]incident.Key](t)(h.provider.Identify(ctx, clue, nil)); len(found) != want {
			t.Errorf("the clue %+v fits %d keys, want %d", clue, len(found), want)
		}
	}
	if found := must[[]incident.Key](t)(h.provider.Identify(ctx, incident.Clue{}, []byte(strings.Repeat("x", 39)))); len(found) != 0 {
		t.Errorf("a value of nobody fits %d keys", len(found))
	}
	found := must[[]incident.Key](t)(h.provider.Identify(ctx, incident.Clue{}, []byte(stranger.Secret())))
	if len(found) != 1 || found[0].Project == "acme-prod" {
		t.Errorf("the key of another project is found as %+v", found)
	}
}

func TestCreateMakesOneKeyForGeminiAloneAndOrphansFindsIt(t *testing.T) {
	t.Parallel()
	h, ctx := build(t, ""), within(t)
	made := must[keys.Created](t)(h.provider.Create(ctx, h.key(), "run-7"))
	if got := must[keys.Probed](t)(h.provider.Probe(ctx, made.Key, made.Secret)); got.State != keys.ProbeWorking {
		t.Fatalf("the new key is %q", got.State)
	}
	state := must[keys.State](t)(h.provider.State(ctx, keys.OpContain, made.Key))
	if state.Fields["restrictions"] != `{"apiTargets":[{"service":"generativelanguage.googleapis.com"}]}` {
		t.Fatalf("the new key may do %s", state.Fields["restrictions"])
	}

	h.world.Fault("apikeys", sandbox.FaultLost, 1)
	if _, err := h.provider.Create(ctx, h.key(), "run-8"); err == nil || keys.IsPermanent(err) {
		t.Fatalf("a lost answer gave %v, want an error that may be repeated", err)
	}
	orphans := must[[]incident.Key](t)(h.provider.Orphans(ctx, h.key(), "run-8"))
	if len(orphans) != 1 {
		t.Fatalf("after one lost answer there are %d orphans: the create was repeated or not found", len(orphans))
	}
	must[keys.Receipt](t)(h.provider.Revoke(ctx, orphans[0]))
	if left := must[[]incident.Key](t)(h.provider.Orphans(ctx, h.key(), "run-8")); len(left) != 0 {
		t.Fatalf("%d orphans are left after their deletion", len(left))
	}
}

func TestUsageCountsWhatTheWorldServed(t *testing.T) {
	t.Parallel()
	h, ctx := build(t, ""), within(t)
	start := time.Now().Add(-time.Minute)
	const body = `{"contents":[{"parts":[{"text":"hello"}]}],"generationConfig":{"maxOutputTokens":10}}`
	for range 12 {
		request := must[*http.Request](t)(http.NewRequestWithContext(ctx, http.MethodPost, h.server.URL+"/v1beta/models/gemini-2.5-pro:generateContent", strings.NewReader(body)))
		request.Header.Set("X-Goog-Api-Key", h.stolen.Secret())
		response := must[*http.Response](t)(http.DefaultClient.Do(request))
		_ = response.Body.Close()
		if response.StatusCode != http.StatusOK {
			t.Fatalf("the model answered %d", response.StatusCode)
		}
	}
	usage := must[keys.Usage](t)(h.provider.Usage(ctx, h.key(), start, time.Now().Add(time.Minute)))
	if usage.Requests != 12 || usage.MicroUSD != 24000 || !usage.CostKnown || !strings.Contains(usage.CostBasis, "estimated") || len(usage.Raw) != 1 {
		t.Fatalf("usage is %+v", usage)
	}
	if !strings.Contains(string(usage.Raw[0].Body), `"int64Value"`) {
		t.Fatalf("the evidence is not Google's answer: %s", usage.Raw[0].Body)
	}
}

func TestPersistenceShowsTheKeyThatTheIntruderMade(t *testing.T) {
	t.Parallel()
	h, ctx := build(t, ""), within(t)
	since := time.Now()
	planted := h.world.NewGeminiKey(sandbox.GeminiKey{Project: "acme-prod", Name: "backup", Principal: "thief@evil.example"})
	traces, raw, err := h.provider.Persistence(ctx, h.key(), since)
	if err != nil || len(raw) < 2 {
		t.Fatalf("err %v, %d raw answers", err, len(raw))
	}
	if len(traces) != 1 || traces[0].Kind != "key_created" || traces[0].Actor != "thief@evil.example" || !strings.Contains(traces[0].What, planted.ID) {
		t.Fatalf("traces %+v", traces)
	}
}

func TestADeletedKeyCanBeBroughtBackForThirtyDays(t *testing.T) {
	t.Parallel()
	var late atomic.Int64
	world := sandbox.NewWorld(sandbox.Options{RevocationDelay: -1, Now: func() time.Time { return time.Now().Add(time.Duration(late.Load())) }})
	h, ctx := house{world: world, server: httptest.NewServer(world.Google())}, within(t)
	t.Cleanup(h.server.Close)
	h.stolen = world.NewGeminiKey(sandbox.GeminiKey{Project: "acme-prod", Name: "shop"})
	at := h.server.URL
	h.provider = must[*gemini.Provider](t)(gemini.New(gemini.Config{
		Account: "main", Project: "acme-prod", TokenSource: oauth2.StaticTokenSource(&oauth2.Token{AccessToken: world.AdminToken()}),
		Endpoints: gemini.Endpoints{APIKeys: at, ServiceUsage: at, Monitoring: at, Logging: at, Generative: at, IAM: at},
	}))
	was := must[keys.State](t)(h.provider.State(ctx, keys.OpContain, h.key()))
	for day, gone := range map[int]bool{29: false, 31: true} {
		late.Store(0)
		must[keys.Receipt](t)(h.provider.Revoke(ctx, h.key()))
		h.probe(t, keys.ProbeRefused, "API_KEY_INVALID")
		late.Store(int64(time.Duration(day) * 24 * time.Hour))
		_, err := h.provider.Restore(ctx, h.key(), was.Undo)
		if (err != nil) != gone || gone && (!keys.IsPermanent(err) || !strings.Contains(err.Error(), "30 days")) {
			t.Errorf("after %d days: %v", day, err)
		}
	}
}

func TestTheCallByWhichThievesTryKeysIsMarked(t *testing.T) {
	t.Parallel()
	h, ctx := build(t, ""), within(t)
	request := must[*http.Request](t)(http.NewRequestWithContext(ctx, http.MethodGet, h.server.URL+"/v1beta/files", nil))
	request.Header.Set("X-Goog-Api-Key", h.stolen.Secret())
	response := must[*http.Response](t)(http.DefaultClient.Do(request))
	_ = response.Body.Close()
	h.probe(t, keys.ProbeWorking, "200") // ours is another call
	u := must[keys.Usage](t)(h.provider.Usage(ctx, h.key(), time.Now().Add(-time.Hour), time.Now().Add(time.Minute)))
	var marked, all int64
	for _, r := range u.Rows {
		all += r.Requests
		if r.Probing {
			marked += r.Requests
		}
	}
	if marked != 1 || all != 2 || u.FirstAbuse.IsZero() || u.Rows[0].Region != "global" {
		t.Errorf("%d of %d calls are marked, the theft began at %s: %+v", marked, all, u.FirstAbuse, u.Rows)
	}
}
