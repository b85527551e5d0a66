package openai_test

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/openai"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// with is the same house with another way of doing.
func (h house) with(t *testing.T, change func(*openai.Config)) house {
	t.Helper()
	c := openai.Config{Account: "main", Project: project, BaseURL: h.server.URL + "/v1", AdminKey: h.world.AdminToken()}
	change(&c)
	h.provider = must[*openai.Provider](t)(openai.New(c))
	return h
}

func TestEachMeasureStopsAProjectAndIsPutBackAsItWas(t *testing.T) {
	t.Parallel()
	for measure, field := range map[string]string{openai.MeasureModels: "project_model_permissions", openai.MeasureRates: "project_requests_a_minute"} {
		t.Run(measure, func(t *testing.T) {
			t.Parallel()
			h := build(t, "").with(t, func(c *openai.Config) { c.Measure = measure })
			ctx := within(t)
			before := must[keys.State](t)(h.provider.State(ctx, keys.OpContain, h.key()))
			if before.Done || before.Fields[field] == "" {
				t.Fatalf("%+v", before)
			}
			receipt := must[keys.Receipt](t)(h.provider.Contain(ctx, h.key()))
			after := must[keys.State](t)(h.provider.State(ctx, keys.OpContain, h.key()))
			if !after.Done || after.Fields[field] == before.Fields[field] || receipt.After[field] != after.Fields[field] {
				t.Fatalf("%+v, the receipt says %v", after, receipt.After)
			}
			if measure == openai.MeasureModels && h.app.Healthy(ctx) == nil {
				t.Error("the application may call a denied model")
			}
			if c := h.provider.Can(keys.OpContain); c.Reach != keys.ReachProject || !strings.Contains(c.What, "every key of the project") {
				t.Errorf("the card says %+v", c)
			}
			must[keys.Receipt](t)(h.provider.Restore(ctx, h.key(), before.Undo))
			if now := must[keys.State](t)(h.provider.State(ctx, keys.OpContain, h.key())); now.Done || now.Fields[field] != before.Fields[field] {
				t.Errorf("put back: %+v", now)
			}
			if err := h.app.Healthy(ctx); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestNoRequestEverCarriesScopesOrAnEmptyListOfModels(t *testing.T) {
	t.Parallel()
	h := build(t, "").with(t, func(c *openai.Config) {
		c.Measure, c.HTTPClient = openai.MeasureModels, &http.Client{Transport: bodies{t}}
	})
	ctx := within(t)
	undo := must[keys.State](t)(h.provider.State(ctx, keys.OpContain, h.key())).Undo
	must[keys.Receipt](t)(h.provider.Contain(ctx, h.key()))
	must[keys.Receipt](t)(h.provider.Restore(ctx, h.key(), undo))
	must[keys.Created](t)(h.provider.Create(ctx, h.key(), "tourniquet-1"))
	must[keys.Receipt](t)(h.provider.Revoke(ctx, h.key()))
}

// bodies refuses what must never be sent.
type bodies struct{ t *testing.T }

func (b bodies) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		if bytes.Contains(body, []byte(`"scopes"`)) || bytes.Contains(body, []byte(`"model_ids":[]`)) {
			b.t.Errorf("%s %s carries %s", r.Method, r.URL.Path, body)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	return http.DefaultTransport.RoundTrip(r)
}

func TestANewKeyInAStoppedProjectIsRefusedUnlessItComesFromAnother(t *testing.T) {
	t.Parallel()
	h, ctx := build(t, ""), within(t)
	must[keys.State](t)(h.provider.State(ctx, keys.OpCreate, h.key()))
	must[keys.Receipt](t)(h.provider.Contain(ctx, h.key()))
	if _, err := h.provider.State(ctx, keys.OpCreate, h.key()); !keys.IsPermanent(err) || !strings.Contains(err.Error(), "replacement_project") {
		t.Fatalf("a key that could serve nobody is not refused: %v", err)
	}
	h.world.NewOpenAIProject("proj_new")
	other := h.with(t, func(c *openai.Config) { c.Replacement = "proj_new" })
	must[keys.State](t)(other.provider.State(ctx, keys.OpCreate, h.key()))
	made := must[keys.Created](t)(other.provider.Create(ctx, h.key(), "tourniquet-1"))
	if made.Key.Project != "proj_new" {
		t.Errorf("the new key lies in %q", made.Key.Project)
	}
	if found := must[[]incident.Key](t)(other.provider.Identify(ctx, incident.Clue{}, made.Secret)); len(found) != 1 || found[0].Project != "proj_new" {
		t.Errorf("the new key is not found: %+v", found)
	}
	if left := must[[]incident.Key](t)(other.provider.Orphans(ctx, h.key(), "tourniquet-1")); len(left) != 1 || left[0].ID != made.Key.ID {
		t.Errorf("orphans: %+v", left)
	}
	h.app.Deploy(string(made.Secret))
	if err := h.app.Healthy(ctx); err != nil {
		t.Error("the new key does not work while the old project is stopped:", err)
	}
}

func TestAnAdminKeyIsFoundCannotBeContainedAndIsReplacedAndRevoked(t *testing.T) {
	t.Parallel()
	h, ctx := build(t, ""), within(t)
	stolen := h.world.NewOpenAIAdminKey("deploy bot")
	found := must[[]incident.Key](t)(h.provider.Identify(ctx, incident.Clue{}, []byte(stolen.Secret())))
	if len(found) != 1 || found[0].ID != stolen.ID {
		t.Fatalf("found %+v", found)
	}
	key := found[0]
	if c := keys.CanFor(h.provider, keys.OpContain, key); c.Available || c.Why == "" {
		t.Errorf("containment is declared: %+v", c)
	}
	if _, err := h.provider.Contain(ctx, key); !keys.IsPermanent(err) {
		t.Errorf("it was contained: %v", err)
	}
	if got := must[keys.Probed](t)(h.provider.Probe(ctx, key, []byte(stolen.Secret()))); got.State != keys.ProbeWorking {
		t.Errorf("%+v", got)
	}
	made := must[keys.Created](t)(h.provider.Create(ctx, key, "tourniquet-1"))
	if left := must[[]incident.Key](t)(h.provider.Orphans(ctx, key, "tourniquet-1")); len(left) != 1 || left[0].ID != made.Key.ID {
		t.Errorf("orphans: %+v", left)
	}
	for range 2 {
		must[keys.Receipt](t)(h.provider.Revoke(ctx, key))
	}
	if st := must[keys.State](t)(h.provider.State(ctx, keys.OpRevoke, key)); !st.Done {
		t.Errorf("%+v", st)
	}
	if found := must[[]incident.Key](t)(h.provider.Identify(ctx, incident.Clue{ID: stolen.ID}, nil)); len(found) != 0 {
		t.Errorf("it is still there: %+v", found)
	}
}

func TestAThiefWhoEmbedsIsSeen(t *testing.T) {
	t.Parallel()
	h, ctx := build(t, ""), within(t)
	body := strings.NewReader(`{"model":"text-embedding-3-large","input":["one two three"]}`)
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, h.server.URL+"/v1/embeddings", body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+h.stolen.Secret())
	res := must[*http.Response](t)(http.DefaultClient.Do(r))
	_ = res.Body.Close()
	u := must[keys.Usage](t)(h.provider.Usage(ctx, h.key(), time.Now().Add(-time.Hour), time.Now()))
	if u.Requests != 1 || u.Tokens != 3 || len(u.Rows) != 1 || u.Rows[0].Method != "embeddings" || u.Rows[0].Model != "text-embedding-3-large" {
		t.Errorf("%d requests, %d tokens, rows %+v", u.Requests, u.Tokens, u.Rows)
	}
	quick := must[keys.Usage](t)(h.provider.Usage(keys.Quick(ctx), h.key(), time.Now().Add(-time.Hour), time.Now()))
	if len(quick.Raw) != 2 {
		t.Errorf("a quick answer read %d reports", len(quick.Raw))
	}
}
