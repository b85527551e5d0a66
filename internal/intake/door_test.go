package intake_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/integrations/sources"
	tickets "github.com/tourniquet-ir/tourniquet/integrations/tickets/github"
	"github.com/tourniquet-ir/tourniquet/integrations/tickets/github/api"
	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/intake"
	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
	"github.com/tourniquet-ir/tourniquet/internal/seal"
)

func text(t testing.TB) string {
	t.Helper()
	b := make([]byte, 20)
	if _, err := rand.Read(b); err != nil {
		t.Fatal(err)
	}
	return "test-" + hex.EncodeToString(b)
}

type room struct {
	db          *database.DB
	hub         *sandbox.GitHub
	world       *sandbox.World
	hubURL, url string
	handler     http.Handler
	token, hook string
	woken       int
	mu          sync.Mutex
	log         *bytes.Buffer
}

// open starts a door over a real database and the sandbox's GitHub; change may spoil the options.
func open(t testing.TB, change func(*intake.Options)) *room {
	t.Helper()
	ring, err := seal.LoadOrCreate(filepath.Join(t.TempDir(), "ring"), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	db, err := database.Open(context.Background(), filepath.Join(t.TempDir(), "t.db"), ring.Box())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	r := &room{db: db, token: text(t), hook: text(t), log: &bytes.Buffer{}, world: sandbox.NewWorld(sandbox.Options{})}
	r.hub = r.world.GitHub()
	hub := httptest.NewServer(r.hub)
	t.Cleanup(hub.Close)
	r.hubURL = hub.URL
	client, err := api.New(api.Options{BaseURL: hub.URL, Token: r.hub.Token()})
	if err != nil {
		t.Fatal(err)
	}
	bearer, err := sources.Bearer(sources.HashToken(r.token))
	if err != nil {
		t.Fatal(err)
	}
	signed, err := sources.HMAC(sources.SchemeOf("github"), []byte(r.hook))
	if err != nil {
		t.Fatal(err)
	}
	o := intake.Options{
		Store: db, Box: ring.Box(), Reader: bearer, Logger: slog.New(slog.NewTextHandler(r.log, nil)),
		Sources: map[string]intake.Configured{
			"generic": {Source: sources.NewGeneric(), Auth: bearer, Trust: incident.TrustTell},
			"github":  {Source: sources.NewGitHub(), Auth: signed, Trust: incident.TrustAct, Fetcher: tickets.NewAlerts(client)},
		},
		Wake: func() { r.mu.Lock(); r.woken++; r.mu.Unlock() },
	}
	if change != nil {
		change(&o)
	}
	h, err := intake.New(o)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	r.url, r.handler = srv.URL, h
	return r
}

type got struct {
	AlertID, Status, Reason, Detail string
	code                            int
	header                          http.Header
}

func (r *room) post(t *testing.T, source, body string, change func(*http.Request)) got {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, r.url+"/v1/alerts/"+source, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+r.token)
	if change != nil {
		change(req)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	return read(t, resp.StatusCode, resp.Header, resp.Body)
}

func read(t *testing.T, code int, h http.Header, body io.Reader) got {
	t.Helper()
	var m struct {
		AlertID string          `json:"alert_id"`
		Status  json.RawMessage `json:"status"`
		Reason  string          `json:"reason"`
		Detail  string          `json:"detail"`
	}
	if err := json.NewDecoder(body).Decode(&m); err != nil {
		t.Fatalf("the answer %d is not JSON: %v", code, err)
	}
	return got{m.AlertID, strings.Trim(string(m.Status), `"`), m.Reason, m.Detail, code, h}
}

func generic(id, secret string) string {
	return fmt.Sprintf(`{"id":%q,"kind":"key.leaked","title":"found %s here","key":{"provider":"gemini","secret":%q}}`, id, secret, secret)
}

func TestAFindingIsStoredSealedAndBlackenedBeforeItIsAcknowledged(t *testing.T) {
	t.Parallel()
	r, secret := open(t, nil), text(t)
	a := r.post(t, "generic", generic("1", secret), nil)
	if a.code != 202 || a.Status != "accepted" || a.AlertID == "" || r.woken != 1 {
		t.Fatalf("%+v, woken %d", a, r.woken)
	}
	list, err := r.db.Undispatched(context.Background(), 10)
	if err != nil || len(list) != 1 {
		t.Fatalf("%d alerts, %v", len(list), err)
	}
	alert := list[0].Alert
	opened, err := r.db.OpenSealed(context.Background(), *alert.Key.Secret)
	if err != nil || string(opened) != secret {
		t.Errorf("the sealed value is another: %v", err)
	}
	f, err := r.db.Finding(context.Background(), a.AlertID)
	if err != nil {
		t.Fatal(err)
	}
	kept, err := json.Marshal(struct{ A, F any }{alert, f})
	if err != nil {
		t.Fatal(err)
	}
	for name, where := range map[string]string{"record": string(kept) + string(f.Body), "log": r.log.String()} {
		if strings.Contains(where, secret) || strings.Contains(where, r.token) {
			t.Errorf("the %s holds a secret", name)
		}
	}
	if alert.Trust != incident.TrustTell || alert.Source != "generic" || alert.Key.SecretHash == "" || alert.Key.Hint != seal.Hint([]byte(secret)) {
		t.Errorf("%+v", alert)
	}
	if f.DigestReceived == f.DigestStored || alert.FindingDigest != f.DigestStored || f.Headers["Authorization"] != "" {
		t.Errorf("digests or headers: %+v", f)
	}
}

func TestEveryWayOfWritingTheSecretIsBlackened(t *testing.T) {
	t.Parallel()
	r, secret := open(t, nil), text(t)
	var escaped strings.Builder
	for _, c := range secret {
		fmt.Fprintf(&escaped, `\u%04x`, c)
	}
	body := `{"id":"1","kind":"key.leaked","title":"b64 ` + base64.StdEncoding.EncodeToString([]byte(secret)) + ` hex ` + hex.EncodeToString([]byte(secret)) +
		`","key":{"provider":"gemini","secret":"` + escaped.String() + `"},"links":["https://x.example/?k=` + secret + `"]}`
	a := r.post(t, "generic", body, nil)
	if a.code != 202 {
		t.Fatalf("%+v", a)
	}
	f, err := r.db.Finding(context.Background(), a.AlertID)
	if err != nil {
		t.Fatal(err)
	}
	list, err := r.db.Undispatched(context.Background(), 1)
	if err != nil {
		t.Fatal(err)
	}
	alert, err := json.Marshal(list[0].Alert)
	if err != nil {
		t.Fatal(err)
	}
	for _, form := range []string{secret, escaped.String(), hex.EncodeToString([]byte(secret)), base64.StdEncoding.EncodeToString([]byte(secret))} {
		if strings.Contains(string(f.Body), form) || strings.Contains(string(alert), form) {
			t.Errorf("a form of the secret is kept: %q", form[:6])
		}
	}
	if !json.Valid(f.Body) {
		t.Errorf("what is kept is no JSON any more: %s", f.Body)
	}
}

func TestTheSameFindingFromFiftyClientsIsOneAlert(t *testing.T) {
	t.Parallel()
	r := open(t, nil)
	body := generic("1", text(t))
	var wg sync.WaitGroup
	var mu sync.Mutex
	seen := map[string]int{}
	ids := map[string]bool{}
	for range 50 {
		wg.Go(func() {
			a := r.post(t, "generic", body, nil)
			mu.Lock()
			defer mu.Unlock()
			seen[fmt.Sprint(a.code, a.Status)]++
			ids[a.AlertID] = true
		})
	}
	wg.Wait()
	if seen["202accepted"]+seen["202 accepted"] != 1 || len(ids) != 1 {
		t.Errorf("answers %v, ids %d", seen, len(ids))
	}
}

func TestAlertsAboutOneSecretJoinOneIncidentWhateverTheirSource(t *testing.T) {
	t.Parallel()
	r, secret := open(t, nil), text(t)
	n := r.hub.AddAlert("acme", "shop", "google_api_key", secret, "app.env")
	if a := r.post(t, "generic", generic("1", secret), nil); a.code != 202 {
		t.Fatalf("%+v", a)
	}
	status, _, err := r.hub.SendAlert(context.Background(), r.url+"/v1/alerts/github", r.hook, sandbox.GitHubHook{Owner: "acme", Repo: "shop", Number: n, Action: "created", Base: r.hubURL})
	if err != nil || status != 202 {
		t.Fatalf("%d, %v", status, err)
	}
	list, err := r.db.Undispatched(context.Background(), 10)
	if err != nil || len(list) != 2 || list[0].Incident != list[1].Incident || list[1].NewIncident {
		t.Fatalf("%+v, %v", list, err)
	}
	status, _, err = r.hub.SendAlert(context.Background(), r.url+"/v1/alerts/github", r.hook, sandbox.GitHubHook{Owner: "acme", Repo: "shop", Number: n, Action: "resolved", Base: r.hubURL})
	if err != nil || status != 202 {
		t.Fatalf("%d, %v", status, err)
	}
	if all, err := r.db.AlertsOf(context.Background(), list[0].Incident); err != nil || len(all) != 3 || all[2].Alert.Kind != incident.KindResolved {
		t.Errorf("the resolved alert did not join: %+v, %v", all, err)
	}
	if list[1].Alert.Trust != incident.TrustAct || list[1].Alert.Key.Secret == nil || list[1].Alert.Key.Provider != "gemini" {
		t.Errorf("%+v", list[1].Alert)
	}
}

func TestARedeliveredWebhookIsADuplicate(t *testing.T) {
	t.Parallel()
	r := open(t, nil)
	n := r.hub.AddAlert("acme", "shop", "google_api_key", text(t), "app.env")
	h := sandbox.GitHubHook{Owner: "acme", Repo: "shop", Number: n, Action: "created", Base: r.hubURL}
	for _, want := range []string{"accepted", "duplicate"} {
		code, body, err := r.hub.SendAlert(context.Background(), r.url+"/v1/alerts/github", r.hook, h)
		if err != nil {
			t.Fatal(err)
		}
		if a := read(t, code, nil, bytes.NewReader(body)); a.code != 202 || a.Status != want {
			t.Errorf("%+v, want %s", a, want)
		}
	}
}

func TestWhenGitHubIsDownTheAlertIsStoredWithItsLink(t *testing.T) {
	t.Parallel()
	for _, fault := range []int{500, 403, sandbox.FaultLost, sandbox.FaultGarbage, sandbox.FaultHang} {
		r, secret := open(t, func(o *intake.Options) { o.FetchTimeout = 200 * time.Millisecond }), text(t)
		n := r.hub.AddAlert("acme", "shop", "google_api_key", secret, "app.env")
		r.world.Fault("github", fault, 3)
		code, _, err := r.hub.SendAlert(context.Background(), r.url+"/v1/alerts/github", r.hook, sandbox.GitHubHook{Owner: "acme", Repo: "shop", Number: n, Action: "created", Base: r.hubURL})
		if err != nil || code != 202 {
			t.Fatalf("fault %d: %d, %v", fault, code, err)
		}
		list, err := r.db.Undispatched(context.Background(), 1)
		if err != nil || len(list) != 1 || list[0].Alert.Key.Secret != nil || list[0].Alert.Key.Where == "" || list[0].Alert.Key.Empty() {
			t.Errorf("fault %d: %+v, %v", fault, list, err)
		}
		if strings.Contains(r.log.String(), secret) || strings.Contains(r.log.String(), r.hub.Token()) {
			t.Errorf("fault %d: the log holds a secret", fault)
		}
	}
}
