package console_test

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/proto"

	"github.com/tourniquet-ir/tourniquet/internal/console"
	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/people"
	"github.com/tourniquet-ir/tourniquet/internal/seal"
)

const temporalUI = "https://temporal.example.com"

// opener is a console that opens payloads of its own ring for the page at temporalUI.
func opener(t *testing.T) (*world, *seal.Ring) {
	t.Helper()
	ring, err := seal.LoadOrCreate(filepath.Join(t.TempDir(), "ring.json"), nil)
	if err != nil {
		t.Fatal(err)
	}
	return newWorld(t, func(o *console.Options) {
		o.Codec = &console.Codec{Codec: ring.Codec(), Namespace: "tourniquet", Origins: []string{temporalUI}}
		o.Desk.(*desk).tokens["token-of-a-viewer"] = incident.Person{ID: "vera", Name: "Vera", Roles: []string{people.Viewer}}
	}), ring
}

func plain(text string) []*commonpb.Payload {
	return []*commonpb.Payload{{Metadata: map[string][]byte{converter.MetadataEncoding: []byte(converter.MetadataEncodingJSON)}, Data: []byte(text)}}
}

func sealed(t *testing.T, ring *seal.Ring, text string) []*commonpb.Payload {
	t.Helper()
	out, err := ring.Codec().Encode(plain(text))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func bodyOf(t *testing.T, list []*commonpb.Payload) string {
	t.Helper()
	raw, err := json.Marshal(&commonpb.Payloads{Payloads: list})
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// ask is one request to the codec with headers in pairs.
func (w *world) ask(method, path, body string, header ...string) (*http.Response, string) {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), method, w.server.URL+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	return w.stranger().send(req)
}

func (w *world) readBy(t *testing.T) (who []string) {
	t.Helper()
	rows, err := w.db.Ledger(t.Context(), database.HouseLedger)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		if r.Kind == "payloads.read" {
			who = append(who, r.Actor)
		}
	}
	return who
}

func TestTheSDKsOwnClientReadsPayloadsWithAPersonalTokenAndTheLedgerSaysWho(t *testing.T) {
	t.Parallel()
	w, ring := opener(t)
	remote := converter.NewRemotePayloadCodec(converter.RemotePayloadCodecOptions{Endpoint: w.server.URL + console.CodecPath, ModifyRequest: func(r *http.Request) error {
		r.Header.Set("Authorization", "Bearer "+w.token)
		r.Header.Set("X-Namespace", "tourniquet")
		return nil
	}})
	for range 2 {
		got, err := remote.Decode(append(sealed(t, ring, `{"key":"one"}`), sealed(t, ring, `"two"`)...))
		if err != nil || len(got) != 2 || !proto.Equal(got[0], plain(`{"key":"one"}`)[0]) || !proto.Equal(got[1], plain(`"two"`)[0]) {
			t.Fatalf("%v %v", got, err)
		}
	}
	if who := w.readBy(t); len(who) != 1 || who[0] != "marek" {
		t.Errorf("the ledger says %q: one line for each person and minute", who)
	}
	if _, err := remote.Encode(plain(`"mine"`)); err == nil || !strings.Contains(err.Error(), "not made here") {
		t.Errorf("a payload was made for a stranger: %v", err)
	}
}

func TestTheEnginesPageReadsWithTheSessionOfItsBrowser(t *testing.T) {
	t.Parallel()
	w, ring := opener(t)
	b := w.stranger()
	if res, _ := b.do("POST", "/sign-in", url.Values{"token": {w.token}}); res.StatusCode != http.StatusSeeOther {
		t.Fatal(res.Status)
	}
	cookie := b.cookie.Name + "=" + b.cookie.Value
	res, _ := w.ask("OPTIONS", "/codec/decode", "", "Origin", temporalUI, "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "content-type,x-namespace")
	h := res.Header
	if res.StatusCode != http.StatusNoContent || h.Get("Access-Control-Allow-Origin") != temporalUI || h.Get("Access-Control-Allow-Credentials") != "true" ||
		h.Get("Access-Control-Allow-Methods") != "POST" || !strings.Contains(h.Get("Access-Control-Allow-Headers"), "X-Namespace") || !strings.Contains(h.Get("Vary"), "Origin") {
		t.Errorf("preflight: %s %v", res.Status, h)
	}
	res, body := w.ask("POST", "/codec/decode", bodyOf(t, sealed(t, ring, `"x"`)), "Origin", temporalUI, "Cookie", cookie, "X-Namespace", "tourniquet", "Sec-Fetch-Site", "same-site")
	if res.StatusCode != http.StatusOK || !strings.Contains(body, "payloads") || res.Header.Get("Access-Control-Allow-Origin") != temporalUI || res.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%s %s %v", res.Status, body, res.Header)
	}
	for why, header := range map[string][]string{
		"another page":               {"Origin", "https://evil.example", "Cookie", cookie},
		"a page on another port":     {"Origin", temporalUI + ":8443", "Cookie", cookie},
		"a page that hides":          {"Origin", "null", "Cookie", cookie},
		"a cookie without a page":    {"Cookie", cookie},
		"a cookie of somebody else":  {"Origin", temporalUI, "Cookie", "tourniquet_session=" + rand.Text()},
		"a stranger":                 {"Origin", temporalUI},
		"a token of another service": {"Origin", temporalUI, "Cookie", cookie, "Authorization", "Bearer eyJhbGciOiJub25lIn0.e30."},
		"another kind of proof":      {"Origin", temporalUI, "Cookie", cookie, "Authorization", "Basic eDp5"},
		"an expired token":           {"Authorization", "Bearer expired"},
		"a viewer":                   {"Authorization", "Bearer token-of-a-viewer"},
		"another namespace":          {"Origin", temporalUI, "Cookie", cookie, "X-Namespace", "payroll"},
	} {
		res, body := w.ask("POST", "/codec/decode", bodyOf(t, sealed(t, ring, `"x"`)), header...)
		if res.StatusCode != http.StatusUnauthorized && res.StatusCode != http.StatusForbidden || strings.Contains(body, "payloads\":") {
			t.Errorf("%s: %s %s", why, res.Status, body)
		}
		if got := res.Header.Get("Access-Control-Allow-Origin"); got != "" && got != temporalUI {
			t.Errorf("%s may read the answer as %q", why, got)
		}
	}
	if who := w.readBy(t); len(who) != 1 {
		t.Errorf("the ledger says %q", who)
	}
}

func TestPayloadsThatAreNotOursOpenNothing(t *testing.T) {
	t.Parallel()
	w, ring := opener(t)
	other, err := seal.LoadOrCreate(filepath.Join(t.TempDir(), "other.json"), nil)
	if err != nil {
		t.Fatal(err)
	}
	good := sealed(t, ring, `"mine"`)
	changed := proto.CloneOf(good[0])
	changed.Data[len(changed.Data)-1] ^= 1
	secret, err := ring.Box().Seal([]byte("AIza-a-new-key"))
	if err != nil {
		t.Fatal(err)
	}
	dressed := proto.CloneOf(good[0])
	dressed.Data = secret
	for why, c := range map[string]struct {
		body   string
		status int
	}{
		"in plain text":               {bodyOf(t, plain(`"x"`)), 400},
		"of another installation":     {bodyOf(t, sealed(t, other, `"x"`)), 400},
		"changed on the way":          {bodyOf(t, []*commonpb.Payload{good[0], changed}), 400},
		"a sealed secret, dressed up": {bodyOf(t, []*commonpb.Payload{dressed}), 400},
		"empty":                       {`{"payloads":[{}]}`, 400},
		"nothing":                     {``, 400},
		"no object":                   {`[]`, 400},
		"null among them":             {`{"payloads":[null]}`, 400},
		"unknown fields":              {`{"payloads":[],"more":1}`, 400},
		"cut":                         {bodyOf(t, good)[:40], 400},
		"not base64":                  {`{"payloads":[{"metadata":{"encoding":"%%"},"data":"x"}]}`, 400},
		"deep":                        {strings.Repeat(`{"payloads":[`, 1_000), 400},
		"deeper":                      {strings.Repeat(`{"payloads":[`, 50_000), 413},
		"millions of nothing":         {`{"payloads":[` + strings.Repeat(`{},`, 2<<20) + `{}]}`, 413},
		"millions of fields":          {`{"payloads":[{"metadata":{` + strings.Repeat(`"":"",`, 1<<20) + `"":""}}]}`, 413},
		"too many":                    {`{"payloads":[` + strings.Repeat(`{},`, 1000) + `{}]}`, 413},
		"too large":                   {`{"payloads":[{"data":"` + strings.Repeat("A", 9<<20) + `"}]}`, 413},
	} {
		res, body := w.ask("POST", "/codec/decode", c.body, "Authorization", "Bearer "+w.token)
		if res.StatusCode != c.status || strings.Contains(body, "AIza") || strings.Contains(body, `"payloads"`) {
			t.Errorf("%s: %s %.300s", why, res.Status, body)
		}
	}
	if who := w.readBy(t); len(who) != 0 {
		t.Errorf("nothing was opened, and the ledger says %q", who)
	}
	for _, c := range []struct {
		method, path, kind string
		status             int
	}{
		{"GET", "/codec/decode", "application/json", 405}, {"OPTIONS", "/codec/decode", "", 405}, {"POST", "/codec/encode", "application/json", 404},
		{"POST", "/codec/decode/x", "application/json", 404}, {"POST", "/codec/decode", "text/plain", 415},
	} {
		if res, body := w.ask(c.method, c.path, bodyOf(t, good), "Authorization", "Bearer "+w.token, "Content-Type", c.kind); res.StatusCode != c.status {
			t.Errorf("%s %s: %s %s", c.method, c.path, res.Status, body)
		}
	}
}

func TestWhereNoPageIsNamedThereIsNoCodec(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if res, _ := w.ask("POST", "/codec/decode", "{}", "Authorization", "Bearer "+w.token); res.StatusCode == http.StatusOK || res.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Error(res.Status)
	}
}

func TestAnOpeningThatCannotBeWrittenDownIsNotShown(t *testing.T) {
	t.Parallel()
	w, ring := opener(t)
	if err := w.db.Close(); err != nil {
		t.Fatal(err)
	}
	res, body := w.ask("POST", "/codec/decode", bodyOf(t, sealed(t, ring, `"x"`)), "Authorization", "Bearer "+w.token)
	if res.StatusCode != http.StatusInternalServerError || strings.Contains(body, `"payloads"`) {
		t.Errorf("%s %s", res.Status, body)
	}
}
