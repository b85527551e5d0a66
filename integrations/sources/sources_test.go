package sources_test

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/tourniquet-ir/tourniquet/integrations/sources"
)

func randomText(t testing.TB) string {
	t.Helper()
	b := make([]byte, 20)
	if _, err := rand.Read(b); err != nil {
		t.Fatal(err)
	}
	return "test-" + hex.EncodeToString(b)
}

func sign(secret, body string) string {
	m := hmac.New(sha256.New, []byte(secret))
	_, _ = m.Write([]byte(body))
	return "sha256=" + hex.EncodeToString(m.Sum(nil))
}

func TestOnlyTheRightSignatureOverTheRawBodyIsTaken(t *testing.T) {
	t.Parallel()
	old, fresh := randomText(t), randomText(t)
	a, err := sources.HMAC(sources.GitHubSignature, []byte(old), []byte(fresh))
	if err != nil {
		t.Fatal(err)
	}
	body := `{"a":1}`
	check := func(values ...string) error {
		return a.Check(sources.Request{Headers: http.Header{"X-Hub-Signature-256": values}, Body: []byte(body)})
	}
	for _, s := range []string{old, fresh} {
		if err := check(sign(s, body)); err != nil {
			t.Errorf("a good signature: %v", err)
		}
	}
	for name, values := range map[string][]string{
		"none": nil, "empty": {""}, "other secret": {sign("x", body)}, "other body": {sign(old, body+" ")},
		"no prefix": {strings.TrimPrefix(sign(old, body), "sha256=")}, "short": {"sha256=00"}, "sha1": {"sha1=" + sign(old, body)[7:]},
		"twice": {sign(old, body), sign("x", body)}, "not hex": {"sha256=" + strings.Repeat("z", 64)},
	} {
		if err := check(values...); !errors.Is(err, sources.ErrUnauthenticated) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, weak := range [][]byte{nil, []byte("short")} {
		if _, err := sources.HMAC("X", weak); err == nil {
			t.Errorf("a secret of %d bytes was taken", len(weak))
		}
	}
}

func TestBearerTokensAreComparedByTheirHash(t *testing.T) {
	t.Parallel()
	token := randomText(t)
	a, err := sources.Bearer(sources.HashToken(randomText(t)), sources.HashToken(token))
	if err != nil {
		t.Fatal(err)
	}
	check := func(v ...string) error {
		return sources.Either(a).Check(sources.Request{Headers: http.Header{"Authorization": v}})
	}
	if err := check("Bearer " + token); err != nil {
		t.Errorf("the right token: %v", err)
	}
	for _, v := range [][]string{nil, {""}, {"Bearer"}, {"Bearer "}, {"Bearer x"}, {"Basic " + token}, {"Bearer " + sources.HashToken(token)}, {"Bearer " + token, "Bearer x"}} {
		if err := check(v...); !errors.Is(err, sources.ErrUnauthenticated) {
			t.Errorf("%q: %v", v, err)
		}
	}
	if sources.Either().Check(sources.Request{}) == nil {
		t.Error("no way at all must refuse")
	}
	if _, err := sources.Bearer("plain"); err == nil {
		t.Error("a token in place of its hash was taken")
	}
}

func TestEnvelopeRefusalsCarryTheirStatus(t *testing.T) {
	t.Parallel()
	json := http.Header{"Content-Type": {"application/json; charset=utf-8"}}
	for _, c := range []struct {
		name   string
		r      sources.Request
		status int
	}{
		{"good", sources.Request{Headers: json, Body: []byte("{}")}, 0},
		{"large", sources.Request{Headers: json, Body: make([]byte, sources.MaxBody+1)}, 413},
		{"form", sources.Request{Headers: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}}, 415},
		{"none", sources.Request{}, 415},
		{"latin1", sources.Request{Headers: json, Body: []byte("{\"a\":\"\xe9\"}")}, 422},
	} {
		err := sources.CheckEnvelope(c.r)
		var refused *sources.RefusedError
		if c.status == 0 && err != nil || c.status != 0 && (!errors.As(err, &refused) || refused.Status != c.status) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestHostileGenericBodiesAreRefusedWithoutQuotingValues(t *testing.T) {
	t.Parallel()
	s := randomText(t)
	for name, body := range map[string]string{
		"empty": "", "null": "null", "list": "[]", "text": `"x"`, "cut": `{"id":"x"`,
		"behind":        `{"id":"x","kind":"key.leaked","title":"t"}{}`,
		"twice":         `{"id":"x","id":"y","kind":"key.leaked","title":"t"}`,
		"twice escaped": `{"id":"x","\u0069d":"y","kind":"key.leaked","title":"t"}`,
		"twice within":  `{"id":"x","kind":"key.leaked","title":"t","key":{"secret":"` + s + `","secret":"b"}}`,
		"case":          `{"ID":"x","kind":"key.leaked","title":"t"}`,
		"unknown":       `{"id":"x","kind":"key.leaked","title":"t","trust":"act"}`,
		"deep":          strings.Repeat(`{"a":`, 100000) + "1" + strings.Repeat("}", 100000),
		"wrong type":    `{"id":"x","kind":"key.leaked","title":"t","key":{"secret":["` + s + `"]}}`,
		"wrong time":    `{"id":"x","kind":"key.leaked","title":"t","observed_at":"` + s + `"}`,
		"wrong kind":    `{"id":"x","kind":"` + s + `","title":"t"}`,
		"script link":   `{"id":"x","kind":"key.leaked","title":"t","links":["javascript:` + s + `"]}`,
		"long title":    `{"id":"x","kind":"key.leaked","title":"` + strings.Repeat("t", 600) + `"}`,
	} {
		_, err := sources.NewGeneric().Decode(context.Background(), sources.Request{Body: []byte(body), At: arrival})
		var refused *sources.RefusedError
		if !errors.As(err, &refused) || refused.Status != 422 {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if strings.Contains(err.Error(), s) {
			t.Errorf("%s: the refusal quotes a value: %v", name, err)
		}
	}
}

func TestATimeInTheFutureIsNotBelieved(t *testing.T) {
	t.Parallel()
	body := `{"id":"x","kind":"key.leaked","title":"t","observed_at":"2031-01-01T00:00:00Z"}`
	d, err := sources.NewGeneric().Decode(context.Background(), sources.Request{Body: []byte(body), At: arrival})
	if err != nil || !d.Alert.ObservedAt.Equal(arrival) {
		t.Errorf("%v, %v", d.Alert.ObservedAt, err)
	}
}

func TestProvidersAreKnownByTheScannersName(t *testing.T) {
	t.Parallel()
	for secretType, want := range map[string]string{
		"google_api_key": "gemini", "openai_api_key": "openai", "openai_api_key_v2": "openai", "azure_openai_key": "azure_openai",
		"anthropic_api_key": "anthropic", "openrouter_api_key": "openrouter", "slack_api_token": "", "": "",
	} {
		if got := sources.ProviderOf(secretType); got != want {
			t.Errorf("%q gives %q, want %q", secretType, got, want)
		}
	}
}

func TestOneDeliveryRepeatedIsOneAlertAndALaterTurnIsAnother(t *testing.T) {
	t.Parallel()
	decode := func(action, updated string) string {
		body := `{"action":"` + action + `","alert":{"number":1,"url":"https://api.github.com/repos/a/b/secret-scanning/alerts/1","updated_at":` + updated + `,"secret_type":"google_api_key"},"repository":{"full_name":"a/b"}}`
		h := http.Header{}
		h.Set("X-GitHub-Event", "secret_scanning_alert")
		d, err := sources.NewGitHub().Decode(context.Background(), sources.Request{Headers: h, Body: []byte(body), At: arrival})
		if err != nil {
			t.Fatal(err)
		}
		return d.Alert.Fingerprint
	}
	first := decode("created", "null")
	if first != decode("created", "null") {
		t.Error("the same delivery gives two fingerprints")
	}
	if first == decode("validated", "null") || decode("validated", `"1"`) == decode("validated", `"2"`) {
		t.Error("two turns give one fingerprint")
	}
}

func FuzzGeneric(f *testing.F) {
	f.Add([]byte(sources.NewGeneric().Describe().Example))
	f.Add([]byte(`{"id":"x","kind":"key.leaked","title":"t","key":{"secret":"abcdefgh"}}`))
	f.Fuzz(func(t *testing.T, body []byte) { sane(t, sources.NewGeneric(), "", body) })
}

func FuzzGitHub(f *testing.F) {
	f.Add("secret_scanning_alert", []byte(sources.NewGitHub().Describe().Example))
	f.Add("secret_scanning_alert_location", []byte(`{"action":"created","alert":null}`))
	f.Fuzz(func(t *testing.T, event string, body []byte) { sane(t, sources.NewGitHub(), event, body) })
}

func sane(t *testing.T, s sources.Source, event string, body []byte) {
	d, err := s.Decode(context.Background(), sources.Request{Headers: http.Header{"X-Github-Event": {event}}, Body: body, At: arrival})
	var refused *sources.RefusedError
	if err != nil {
		if !errors.As(err, &refused) {
			t.Fatalf("the error has no status: %v", err)
		}
		return
	}
	if d.Ping || d.Ignored != "" {
		return
	}
	out, err := json.Marshal(d.Alert)
	if err != nil || !utf8.Valid(out) || d.Alert.Kind == "" || d.Alert.Fingerprint == "" || d.Alert.ObservedAt.After(arrival) {
		t.Fatalf("a senseless alert: %s, %v", out, err)
	}
	if d.Alert.ID != "" || d.Alert.Trust != "" || d.Alert.Source != "" {
		t.Fatal("the decoder sets what only the door may set")
	}
}
