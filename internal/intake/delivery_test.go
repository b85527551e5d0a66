package intake_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/tourniquet-ir/tourniquet/integrations/sources"
	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/intake"
)

// with adds sources behind the room's bearer token.
func with(list ...sources.Source) func(*intake.Options) {
	return func(o *intake.Options) {
		for _, s := range list {
			o.Sources[s.Name()] = intake.Configured{Source: s, Auth: o.Sources["generic"].Auth, Trust: incident.TrustTell}
		}
	}
}

func media(kind string) func(*http.Request) {
	return func(q *http.Request) { q.Header.Set("Content-Type", kind) }
}

func firing(fingerprint, keyID string) string {
	return fmt.Sprintf(`{"status":"firing","labels":{"key_provider":"gemini","key_account":"prod","key_id":%q},"startsAt":"2026-11-23T06:26:53Z","fingerprint":%q}`, keyID, fingerprint)
}

func waiting(t *testing.T, db *database.DB) []database.Pending {
	t.Helper()
	list, err := db.Undispatched(context.Background(), 100)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestADeliveryOfSeveralAlertsIsStoredWholeWithOneFinding(t *testing.T) {
	t.Parallel()
	r := open(t, with(sources.NewAlertmanager()))
	body := `{"version":"4","alerts":[` + firing("a", "k1") + "," + firing("b", "k2") + "," + firing("c", "k1") + `]}`
	first := r.post(t, "alertmanager", body, nil)
	list := waiting(t, r.db)
	if first.code != 202 || first.Status != "accepted" || len(list) != 3 {
		t.Fatalf("%+v, %d alerts", first, len(list))
	}
	if list[0].Incident != list[2].Incident || list[0].Incident == list[1].Incident {
		t.Error("alerts are not joined by their keys")
	}
	for _, p := range list {
		f, err := r.db.Finding(context.Background(), p.Alert.ID)
		if err != nil || string(f.Body) != body || f.DigestReceived != f.DigestStored || p.Alert.FindingDigest != f.DigestStored {
			t.Errorf("the finding of %s: %.60s, %v", p.Alert.ID, f.Body, err)
		}
	}
	if again := r.post(t, "alertmanager", body, nil); again.Status != "duplicate" || again.AlertID != first.AlertID || len(waiting(t, r.db)) != 3 {
		t.Errorf("the repeat: %+v", again)
	}
	more := `{"version":"4","alerts":[` + firing("a", "k1") + "," + firing("d", "k4") + "," + firing("e", "k5") + `]}`
	if a := r.post(t, "alertmanager", more, nil); a.Status != "accepted" || len(waiting(t, r.db)) != 5 {
		t.Errorf("a repeat with something new: %+v", a)
	}
	for _, p := range waiting(t, r.db)[3:] { // the first of this delivery was kept before, with another finding
		if f, err := r.db.Finding(context.Background(), p.Alert.ID); err != nil || string(f.Body) != more {
			t.Errorf("the finding of %s: %.60s, %v", p.Alert.ID, f.Body, err)
		}
	}
}

func TestWhatNamesNoKeyJoinsByTheSourcesOwnNameOfIt(t *testing.T) {
	t.Parallel()
	r := open(t, with(sources.NewAlertmanager()))
	bare := func(status, ends string) string {
		return `{"version":"4","alerts":[{"status":"` + status + `","labels":{"alertname":"x"},"startsAt":"2026-11-23T06:26:53Z","endsAt":"` + ends + `","fingerprint":"f"}]}`
	}
	r.post(t, "alertmanager", bare("firing", "0001-01-01T00:00:00Z"), nil)
	r.post(t, "alertmanager", bare("resolved", "2026-11-23T07:00:00Z"), nil)
	keyed := `{"version":"4","alerts":[` + firing("f", "k1") + `]}` // one matter may name its key later: the key decides then
	r.post(t, "alertmanager", strings.Replace(keyed, "06:26:53", "06:26:54", 1), nil)
	list := waiting(t, r.db)
	if len(list) != 3 || list[0].Incident != list[1].Incident || list[1].Alert.Kind != incident.KindResolved || list[2].Incident == list[0].Incident {
		t.Errorf("%+v", list)
	}
}

func TestAnUnreadableDeliveryOfAKnownSenderIsKeptAsItCame(t *testing.T) {
	t.Parallel()
	r := open(t, with(sources.NewAlertmanager(), sources.NewTruffleHog()))
	for name, body := range map[string]string{
		"no JSON": "hello", "cut": `{"version":"4","alerts":[{`, "repeated keys": `{"alerts":[],"alerts":[]}`, "another format": `{"a":1}`,
		"deep": strings.Repeat(`{"a":`, 5000) + "1" + strings.Repeat("}", 5000), "wrong type": `{"alerts":{"a":1}}`,
	} {
		a := r.post(t, "alertmanager", body, nil)
		if a.code != 202 || a.Status != "accepted" {
			t.Errorf("%s: %+v", name, a)
			continue
		}
		f, err := r.db.Finding(context.Background(), a.AlertID)
		if err != nil || string(f.Body) != body {
			t.Errorf("%s: kept %.60q, %v", name, f.Body, err)
		}
	}
	for _, p := range waiting(t, r.db) {
		if p.Alert.Kind != incident.KindUnread || !strings.Contains(p.Alert.Title, "could not be read: ") {
			t.Errorf("%+v", p.Alert)
		}
	}
	// What may hold a live value cannot be blackened unread, so it is refused.
	if a := r.post(t, "trufflehog", `{"DetectorName":"X","Raw":`, media("application/x-ndjson")); a.code != 422 {
		t.Errorf("an unreadable report: %+v", a)
	}
}

func TestEverySecretOfAReportIsSealedAndBlackenedEverywhere(t *testing.T) {
	t.Parallel()
	r := open(t, with(sources.NewTruffleHog(), sources.NewGitleaks(), sources.NewGCP(), sources.NewCloudEvents()))
	one, two, three := text(t), text(t), text(t)
	line := func(v, more string) string {
		return fmt.Sprintf(`{"DetectorName":"GoogleGemini","SourceName":"s","SourceMetadata":{"Data":{"Git":{"file":"%s"}}},"Raw":%q,"RawV2":%q,"SecretParts":{"k":%q}}`, more, v, v+three, three)
	}
	lines := line(one, "quotes "+two) + "\n" + line(two, "b") + "\n"
	inner, err := json.Marshal(map[string]any{"title": "t", "key": map[string]string{"provider": "openai", "secret": one}})
	if err != nil {
		t.Fatal(err)
	}
	var escaped strings.Builder
	for _, c := range one {
		fmt.Fprintf(&escaped, `\u%04x`, c)
	}
	hidden := strings.Replace(string(inner), one, escaped.String(), 1)
	for _, c := range []struct {
		source, body, media string
		alerts              int
	}{
		{"trufflehog", lines, "application/x-ndjson", 2},
		{"gitleaks", fmt.Sprintf(`[{"RuleID":"gcp-api-key","Secret":%q,"Match":"key=%s","File":"f","Fingerprint":"x"}]`, one, one), "application/json", 1},
		{"gcp", fmt.Sprintf(`{"message":{"messageId":"1","data":%q},"subscription":"s"}`, base64.StdEncoding.EncodeToString([]byte(
			`{"logName":"abuseevent","jsonPayload":{"detectionType":"LEAKED_CREDENTIALS","leakedCredentialEvent":{"apiKeyCredential":{"apiKey":"`+escaped.String()+`"}}}}`))), "application/json", 1},
		{"cloudevents", fmt.Sprintf(`{"specversion":"1.0","id":"1","source":"s","type":"key.leaked","data_base64":%q}`, base64.StdEncoding.EncodeToString([]byte(hidden))), "application/cloudevents+json", 1},
	} {
		before := len(waiting(t, r.db))
		a := r.post(t, c.source, c.body, media(c.media))
		list := waiting(t, r.db)[before:]
		if a.code != 202 || len(list) != c.alerts {
			t.Fatalf("%s: %+v, %d alerts", c.source, a, len(list))
		}
		f, err := r.db.Finding(context.Background(), a.AlertID)
		if err != nil {
			t.Fatal(err)
		}
		kept, err := json.Marshal(list)
		if err != nil {
			t.Fatal(err)
		}
		all := string(f.Body) + string(kept) + unwrapped(f.Body)
		for _, s := range []string{one, two, three, escaped.String()} {
			if strings.Contains(all, s) {
				t.Errorf("%s keeps a value: %s", c.source, f.Body)
			}
		}
		if f.DigestReceived == f.DigestStored {
			t.Errorf("%s: the digests say that nothing was blackened", c.source)
		}
		opened, err := r.db.OpenSealed(context.Background(), *list[0].Alert.Key.Secret)
		if err != nil || string(opened) != one {
			t.Errorf("%s: the sealed value is another: %v", c.source, err)
		}
	}
	list := waiting(t, r.db)
	for _, p := range list[2:] {
		if p.Incident != list[0].Incident {
			t.Errorf("%s: one value in two incidents", p.Alert.Source)
		}
	}
	if list[1].Incident == list[0].Incident {
		t.Error("two values in one incident")
	}
}

// unwrapped is what base64 inside a finding says.
func unwrapped(body []byte) string {
	var out strings.Builder
	for _, word := range strings.Split(string(body), `"`) {
		if raw, err := base64.StdEncoding.DecodeString(word); err == nil {
			out.Write(raw)
		}
	}
	return out.String()
}

func TestASubscriptionIsConfirmedOnlyWhereTheOperatorSaysSo(t *testing.T) {
	t.Parallel()
	always := authFunc(func(sources.Request) error { return nil })
	address := "https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=arn:aws:sns:eu-central-1:123456789012:alerts&Token=t"
	body := fmt.Sprintf(`{"Type":"SubscriptionConfirmation","TopicArn":"arn:aws:sns:eu-central-1:123456789012:alerts","Token":"t","SubscribeURL":%q}`, address)
	var visited []string
	down := errors.New("no route")
	for name, c := range map[string]struct {
		confirm func(context.Context, string) error
		code    int
		visits  int
	}{
		"by hand":   {nil, 202, 0},
		"by itself": {func(_ context.Context, a string) error { visited = append(visited, a); return nil }, 202, 1},
		"down":      {func(context.Context, string) error { return down }, 503, 0},
	} {
		visited = nil
		r := open(t, func(o *intake.Options) {
			o.Sources["aws"] = intake.Configured{Source: sources.NewAWS(), Auth: always, Trust: incident.TrustTell, Confirm: c.confirm}
		})
		a := r.post(t, "aws", body, media("text/plain; charset=UTF-8"))
		if a.code != c.code || len(visited) != c.visits || c.visits == 1 && visited[0] != address {
			t.Errorf("%s: %+v, visited %q", name, a, visited)
		}
		if c.confirm == nil && !strings.Contains(r.log.String(), "ConfirmSubscription") {
			t.Error("the operator was not told the address")
		}
	}
}

func TestOnlyFormatsThatAskBeforeTheySendAreAnswered(t *testing.T) {
	t.Parallel()
	r := open(t, with(sources.NewCloudEvents()))
	ask := func(source, origin string) *http.Response {
		req, err := http.NewRequest(http.MethodOptions, r.url+"/v1/alerts/"+source, nil)
		if err != nil {
			t.Fatal(err)
		}
		if origin != "" {
			req.Header.Set("WebHook-Request-Origin", origin)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		return res
	}
	if res := ask("cloudevents", "events.example"); res.StatusCode != 200 || res.Header.Get("WebHook-Allowed-Origin") != "events.example" || res.Header.Get("WebHook-Allowed-Rate") == "" {
		t.Errorf("%d %v", res.StatusCode, res.Header)
	}
	for source, origin := range map[string]string{"cloudevents": "", "generic": "events.example", "nobody": "events.example"} {
		if res := ask(source, origin); res.StatusCode != 405 {
			t.Errorf("%s: %d", source, res.StatusCode)
		}
	}
}

func TestAProofThatCannotBeCheckedNowMakesTheSenderComeAgain(t *testing.T) {
	t.Parallel()
	r := open(t, func(o *intake.Options) {
		c := o.Sources["generic"]
		c.Auth = authFunc(func(sources.Request) error { return errors.New("the issuer at 10.0.0.7 is down") })
		o.Sources["generic"] = c
	})
	a := r.post(t, "generic", generic("1", text(t)), nil)
	if a.code != 503 || a.header.Get("Retry-After") == "" || strings.Contains(a.Detail, "10.0.0.7") {
		t.Errorf("%+v", a)
	}
}

func TestHostileBodiesAreRefusedBeforeTheyAreDecoded(t *testing.T) {
	t.Parallel()
	r := open(t, nil)
	for name, c := range map[string]struct {
		body   string
		change func(*http.Request)
		code   int
	}{
		"ten megabytes": {strings.Repeat("x", 10<<20), nil, 413},
		"compressed":    {"\x1f\x8b\x08", func(q *http.Request) { q.Header.Set("Content-Encoding", "gzip") }, 415},
		"latin 1":       {`{}`, media("application/json; charset=iso-8859-1"), 415},
	} {
		if a := r.post(t, "generic", c.body, c.change); a.code != c.code {
			t.Errorf("%s: %+v", name, a)
		}
	}
}
