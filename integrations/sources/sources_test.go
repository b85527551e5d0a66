package sources_test

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"
	"testing"

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
		{"latin1 by its own word", sources.Request{Headers: http.Header{"Content-Type": {"application/json; charset=iso-8859-1"}}, Body: []byte("{}")}, 415},
		{"compressed", sources.Request{Headers: http.Header{"Content-Type": json["Content-Type"], "Content-Encoding": {"gzip"}}, Body: []byte("{}")}, 415},
		{"compressed twice", sources.Request{Headers: http.Header{"Content-Type": json["Content-Type"], "Content-Encoding": {"identity", "br"}}, Body: []byte("{}")}, 415},
	} {
		err := sources.CheckEnvelope(c.r, []string{"application/json"})
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
	if err != nil || !d.Findings[0].Alert.ObservedAt.Equal(arrival) {
		t.Errorf("%+v, %v", d, err)
	}
}

func TestProvidersAreKnownByTheScannersName(t *testing.T) {
	t.Parallel()
	for secretType, want := range map[string]string{
		"gcp-api-key": "gemini", "GoogleGemini": "gemini", "AzureOpenAI": "azure_openai", "openai_project_api_key_v2": "openai", "AWS": "bedrock",
		"aws-access-token": "bedrock", "claude_api_key": "anthropic", "awstats": "", "google_api_key": "gemini", "openai_api_key": "openai", "openai_api_key_v2": "openai", "azure_openai_key": "azure_openai",
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
		return d.Findings[0].Alert.Fingerprint
	}
	first := decode("created", "null")
	if first != decode("created", "null") {
		t.Error("the same delivery gives two fingerprints")
	}
	if first == decode("validated", "null") || decode("validated", `"1"`) == decode("validated", `"2"`) {
		t.Error("two turns give one fingerprint")
	}
}
