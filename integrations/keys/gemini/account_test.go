package gemini_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/gemini"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
)

// theft is a stolen key of a service account.
type theft struct {
	house
	file sandbox.Key // its value is the credentials file
	key  incident.Key
}

func steal(t *testing.T) theft {
	t.Helper()
	h := build(t, "")
	file := h.world.NewGoogleAccountKey("acme-prod", "shop")
	found := must[[]incident.Key](t)(h.provider.Identify(within(t), incident.Clue{}, []byte(file.Secret())))
	if len(found) != 1 || found[0].ID != file.ID || found[0].UID != file.UID || found[0].OwnerKind != "service_account" || found[0].Project != "acme-prod" {
		t.Fatalf("identified %+v", found)
	}
	return theft{h, file, found[0]}
}

func (h theft) tried(t *testing.T, value, want, detail string) {
	t.Helper()
	got := must[keys.Probed](t)(h.provider.Probe(within(t), h.key, []byte(value)))
	if got.State != want || !strings.Contains(got.Detail, detail) {
		t.Fatalf("the probe says %q (%s), want %q with %q", got.State, got.Detail, want, detail)
	}
}

// token is what Google's own library gets for a credentials file.
func (h theft) token(t *testing.T, value string) (*oauth2.Token, error) {
	t.Helper()
	cfg, err := google.JWTConfigFromJSON([]byte(value), "https://www.googleapis.com/auth/generative-language")
	if err != nil {
		t.Fatal(err)
	}
	cfg.Audience, cfg.TokenURL = "https://oauth2.googleapis.com/token", h.server.URL+"/token"
	return cfg.TokenSource(within(t)).Token()
}

// spend is one call of a model with a token.
func (h theft) spend(t *testing.T, token *oauth2.Token) int {
	t.Helper()
	r := must[*http.Request](t)(http.NewRequestWithContext(within(t), http.MethodPost, h.server.URL+"/v1beta/models/gemini-2.5-pro:generateContent", strings.NewReader(`{"contents":[{"parts":[{"text":"hello"}]}]}`)))
	token.SetAuthHeader(r)
	res := must[*http.Response](t)(http.DefaultClient.Do(r))
	_ = res.Body.Close()
	return res.StatusCode
}

func TestAServiceAccountsKeyIsDisabledGivenBackAndDeleted(t *testing.T) {
	t.Parallel()
	h, ctx := steal(t), within(t)
	value := h.file.Secret()
	h.tried(t, value, keys.ProbeWorking, "200")
	before := must[keys.State](t)(h.provider.State(ctx, keys.OpContain, h.key))
	signed := must[keys.State](t)(h.provider.State(ctx, keys.OpRevoke, h.key))

	got := must[keys.Receipt](t)(h.provider.Contain(ctx, h.key))
	must[keys.Receipt](t)(h.provider.Contain(ctx, h.key)) // twice is as good as once
	after := must[keys.State](t)(h.provider.State(ctx, keys.OpContain, h.key))
	if before.Done || !after.Done || after.Fields["disabled"] != got.After["disabled"] {
		t.Fatalf("contained: before %+v, after %+v, receipt %+v", before, after, got)
	}
	h.tried(t, value, keys.ProbeRefused, "invalid_grant")
	if now := must[keys.State](t)(h.provider.State(ctx, keys.OpRevoke, h.key)); now.Fields["exists"] != signed.Fields["exists"] || len(now.Fields) != 1 {
		t.Fatalf("containing changed what revoking relies on: %+v", now)
	}

	must[keys.Receipt](t)(h.provider.Restore(ctx, h.key, before.Undo))
	h.tried(t, value, keys.ProbeWorking, "200")
	must[keys.Receipt](t)(h.provider.Restore(ctx, h.key, json.RawMessage(`{"op":"contain","disabled":true}`)))
	h.tried(t, value, keys.ProbeWorking, "200") // what was disabled before is not enabled, and nothing is disabled either

	must[keys.Receipt](t)(h.provider.Revoke(ctx, h.key))
	if again := must[keys.Receipt](t)(h.provider.Revoke(ctx, h.key)); !strings.Contains(again.Summary, "already") || h.count(sandbox.EffectFinal, h.key.ID) != 1 {
		t.Fatalf("revoking twice: %+v", again)
	}
	if st := must[keys.State](t)(h.provider.State(ctx, keys.OpRevoke, h.key)); !st.Done {
		t.Errorf("the deleted key is said to live: %+v", st)
	}
	if _, err := h.provider.Restore(ctx, h.key, before.Undo); !keys.IsPermanent(err) {
		t.Errorf("a deleted key was brought back: %v", err)
	}
	if _, err := h.provider.Restore(ctx, h.key, json.RawMessage(`{`)); !keys.IsPermanent(err) {
		t.Errorf("an unreadable record gives %v", err)
	}
}

func TestTokensOutliveTheKeyUntilTheAccountIsDisabled(t *testing.T) {
	t.Parallel()
	h, ctx := steal(t), within(t)
	token, err := h.token(t, h.file.Secret())
	if err != nil {
		t.Fatal(err)
	}
	must[keys.Receipt](t)(h.provider.Contain(ctx, h.key))
	if code := h.spend(t, token); code != http.StatusOK {
		t.Fatalf("a token of a disabled key answers %d; at Google it lives on", code)
	}
	if c := keys.CanFor(h.provider, keys.OpSessions, h.key); !c.Available || c.Reach != keys.ReachProject || !strings.Contains(c.What, "its other keys too") {
		t.Errorf("the card would say %+v", c)
	}
	if c := keys.CanFor(h.provider, keys.OpSessions, incident.Key{ID: h.stolen.ID}); c.Available {
		t.Errorf("an API key has sessions: %+v", c)
	}
	was := must[keys.State](t)(h.provider.State(ctx, keys.OpSessions, h.key))
	got := must[keys.Receipt](t)(h.provider.Sessions(ctx, h.key))
	if code := h.spend(t, token); code != http.StatusUnauthorized || got.After["account_disabled"] != "true" {
		t.Fatalf("the account is disabled, and its token answers %d: %+v", code, got)
	}
	if _, err := h.provider.State(ctx, keys.OpCreate, h.key); !keys.IsPermanent(err) || !strings.Contains(err.Error(), "sessions.restore") {
		t.Errorf("a key of a disabled account would serve somebody: %v", err)
	}
	must[keys.Receipt](t)(h.provider.Restore(ctx, h.key, was.Undo))
	if st := must[keys.State](t)(h.provider.State(ctx, keys.OpSessions, h.key)); st.Done {
		t.Errorf("the account is still disabled: %+v", st)
	}
	h.tried(t, h.file.Secret(), keys.ProbeRefused, "invalid_grant") // the key itself stays disabled
}

func TestANewKeyOfAServiceAccountIsMadeHereAndWorks(t *testing.T) {
	t.Parallel()
	h, ctx := steal(t), within(t)
	made := must[keys.Created](t)(h.provider.Create(ctx, h.key, "tourniquet-7"))
	if made.Key.ID == h.key.ID || made.Key.UID != h.key.UID || !strings.HasPrefix(made.Key.ID, "shop@acme-prod.") {
		t.Fatalf("made %+v", made.Key)
	}
	token, err := h.token(t, string(made.Secret))
	if err != nil || h.spend(t, token) != http.StatusOK {
		t.Fatalf("the new key gets no token that serves: %v", err)
	}
	orphans := must[[]incident.Key](t)(h.provider.Orphans(ctx, h.key, "tourniquet-7"))
	if len(orphans) != 1 || orphans[0].ID != made.Key.ID {
		t.Fatalf("orphans: %+v", orphans)
	}
	for _, other := range []string{"tourniquet-8", ""} {
		if found := must[[]incident.Key](t)(h.provider.Orphans(ctx, h.key, other)); len(found) != 0 {
			t.Errorf("under %q there are %+v", other, found)
		}
	}

	for n := 2; n < 10; n++ {
		must[keys.Created](t)(h.provider.Create(ctx, h.key, "more"))
	}
	if _, err := h.provider.State(ctx, keys.OpCreate, h.key); !keys.IsPermanent(err) || !strings.Contains(err.Error(), "10 keys") {
		t.Errorf("an eleventh key: %v", err)
	}
	if _, err := h.provider.Create(ctx, h.key, "one more"); !keys.IsPermanent(err) {
		t.Errorf("an eleventh key was made: %v", err)
	}
}

// A credentials file that names a real key but holds another private half proves no leak: anybody can write one.
func TestAForgedCredentialsFileContainsNobodysKey(t *testing.T) {
	t.Parallel()
	h, ctx := steal(t), within(t)
	strange, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(strange)
	if err != nil {
		t.Fatal(err)
	}
	forge := func(change func(map[string]string)) []byte {
		var file map[string]string
		if err := json.Unmarshal([]byte(h.file.Secret()), &file); err != nil {
			t.Fatal(err)
		}
		change(file)
		text, _ := json.Marshal(file)
		return text
	}
	for name, file := range map[string][]byte{
		"another private half": forge(func(f map[string]string) {
			f["private_key"] = string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
		}),
		"a path as mail address": forge(func(f map[string]string) { f["client_email"] = "a@b/../../x" }),
		"a path as key id":       forge(func(f map[string]string) { f["private_key_id"] = "../keys" }),
		"another account":        forge(func(f map[string]string) { f["client_email"] = "chat@acme-prod.iam.gserviceaccount.com" }),
		"a user's file":          forge(func(f map[string]string) { f["type"] = "authorized_user" }),
		"no private half":        forge(func(f map[string]string) { f["private_key"] = "" }),
	} {
		if found, err := h.provider.Identify(ctx, incident.Clue{}, file); err != nil || len(found) != 0 {
			t.Errorf("%s: %+v, %v", name, found, err)
		}
	}
	// The file's own addresses are never called.
	h.tried(t, string(forge(func(f map[string]string) { f["token_uri"] = "http://127.0.0.1:1/token" })), keys.ProbeWorking, "200")
}

func TestServiceAccountKeysAreFoundByNameAndListed(t *testing.T) {
	t.Parallel()
	h, ctx := steal(t), within(t)
	email, id, _ := strings.Cut(h.key.ID, "/")
	for clue, want := range map[string]int{
		h.key.ID: 1, "projects/acme-prod/serviceAccounts/" + email + "/keys/" + id: 1, email: 0, email + "/" + strings.Repeat("0", 40): 0, email + "/../keys": 0, "a@b/" + id: 0,
	} {
		if found := must[[]incident.Key](t)(h.provider.Identify(ctx, incident.Clue{ID: clue}, nil)); len(found) != want {
			t.Errorf("%q fits %d keys, want %d", clue, len(found), want)
		}
	}
	listed := must[[]incident.Key](t)(h.provider.List(ctx))
	if len(listed) != 2 || listed[1].ID != h.key.ID || listed[1].Hint != h.key.Hint {
		t.Errorf("listed %+v", listed)
	}
	h.world.Fault("iam", http.StatusForbidden, 1)
	if listed := must[[]incident.Key](t)(h.provider.List(ctx)); len(listed) != 1 || listed[0].ID != h.stolen.ID {
		t.Errorf("without the right to list accounts: %+v", listed)
	}
}

func TestUseOfAServiceAccountsKeyIsHowOftenItAuthenticated(t *testing.T) {
	t.Parallel()
	h, ctx := steal(t), within(t)
	start := time.Now().Add(-2 * time.Hour)
	for range 12 {
		if _, err := h.token(t, h.file.Secret()); err != nil {
			t.Fatal(err)
		}
	}
	u := must[keys.Usage](t)(h.provider.Usage(ctx, h.key, start, time.Now().Add(time.Minute)))
	if u.Requests != 12 || u.CostKnown || u.Incomplete == "" || len(u.Raw) != 1 || u.FirstAbuse.IsZero() {
		t.Errorf("%d, %v, %q, first %v", u.Requests, u.CostKnown, u.Incomplete, u.FirstAbuse)
	}
	planted := h.world.NewGoogleAccountKey("acme-prod", "shop")
	traces, _, err := h.provider.Persistence(ctx, h.key, start)
	_, id, _ := strings.Cut(planted.ID, "/")
	if err != nil || !slices.ContainsFunc(traces, func(tr keys.Trace) bool { return tr.Kind == "key_created" && strings.Contains(tr.What, id) }) {
		t.Errorf("the key that the intruder made: %+v, %v", traces, err)
	}
}

func TestFaultsOfIAMSayWhetherToRepeatAndShowNoSecret(t *testing.T) {
	t.Parallel()
	for status, permanent := range map[int]bool{400: true, 401: true, 403: true, 409: false, 429: false, 500: false, 503: false, sandbox.FaultGarbage: false} {
		h, ctx := steal(t), within(t)
		for name, do := range map[string]func() error{
			"identify": func() error { _, err := h.provider.Identify(ctx, incident.Clue{}, []byte(h.file.Secret())); return err },
			"state":    func() error { _, err := h.provider.State(ctx, keys.OpContain, h.key); return err },
			"sessions": func() error { _, err := h.provider.Sessions(ctx, h.key); return err },
			"orphans":  func() error { _, err := h.provider.Orphans(ctx, h.key, "l"); return err },
			"create":   func() error { _, err := h.provider.Create(ctx, h.key, "l"); return err },
			"contain":  func() error { _, err := h.provider.Contain(ctx, h.key); return err },
			"revoke":   func() error { _, err := h.provider.Revoke(ctx, h.key); return err },
		} {
			h.world.Fault("iam", status, 9)
			err := do()
			h.world.Mend("iam")
			if err == nil || keys.IsPermanent(err) != permanent || strings.Contains(err.Error(), "PRIVATE") || strings.Contains(err.Error(), "http://") {
				t.Errorf("%d, %s: %v", status, name, err)
			}
		}
		h.world.Fault("oauth2", status, 1)
		got, err := h.provider.Probe(ctx, h.key, []byte(h.file.Secret()))
		if err != nil || got.State != keys.ProbeUnknown {
			t.Errorf("%d: a probe that told nothing says %+v, %v", status, got, err)
		}
	}
}

func TestTheMeasureServiceStopsTheProjectAndGivesItBack(t *testing.T) {
	t.Parallel()
	h := build(t, "")
	at := h.server.URL
	p := must[*gemini.Provider](t)(gemini.New(gemini.Config{
		Account: "main", Project: "acme-prod", Measure: gemini.MeasureService, TokenSource: oauth2.StaticTokenSource(&oauth2.Token{AccessToken: h.world.AdminToken()}),
		Endpoints: gemini.Endpoints{APIKeys: at, ServiceUsage: at, Monitoring: at, Logging: at, Generative: at, IAM: at, Token: at + "/token"},
	}))
	ctx := within(t)
	if c := p.Can(keys.OpContain); c.Reach != keys.ReachProject || c.Undo == "" {
		t.Errorf("the card would say %+v", c)
	}
	was := must[keys.State](t)(p.State(ctx, keys.OpContain, h.key()))
	must[keys.Receipt](t)(p.Contain(ctx, h.key()))
	h.probe(t, keys.ProbeRefused, "SERVICE_DISABLED")
	if st := must[keys.State](t)(p.State(ctx, keys.OpContain, h.key())); !st.Done {
		t.Errorf("contained: %+v", st)
	}
	must[keys.Receipt](t)(h.provider.Restore(ctx, h.key(), was.Undo)) // also when the measure was changed meanwhile
	h.probe(t, keys.ProbeWorking, "200")
	if _, err := gemini.New(gemini.Config{Account: "a", Project: "p", Measure: "delete", TokenSource: oauth2.StaticTokenSource(&oauth2.Token{})}); err == nil {
		t.Error("an unknown measure was taken")
	}
}
