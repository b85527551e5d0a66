package console_test

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/tourniquet-ir/tourniquet/internal/console"
	"github.com/tourniquet-ir/tourniquet/internal/report"
	"github.com/tourniquet-ir/tourniquet/internal/report/reporttest"
)

func listing(o *console.Options) { o.Known = func(p string) bool { return p == "dana" } }

func TestLessonsAndNextStepsComeInByFormAndByAPI(t *testing.T) {
	t.Parallel()
	w := newWorld(t, listing)
	b, path := w.signedIn(), "/runs/"+reporttest.RunID+"/review"
	form := url.Values{"csrf": {b.csrf()}, "kind": {"next_step"}, "text": {"move it <script>"}, "owner": {"dana"}, "due": {"2026-12-24"}}
	if res, body := b.do("POST", path, form); res.StatusCode != http.StatusSeeOther || !strings.HasPrefix(res.Header.Get("Location"), "/runs/"+reporttest.RunID) {
		t.Fatalf("the form answers %d: %s", res.StatusCode, body)
	}
	var said struct{ Number int64 }
	res, body := w.api("POST", "/v1"+path, `{"kind":"lesson","text":"keys leak"}`)
	if json.Unmarshal([]byte(body), &said) != nil || res.StatusCode != http.StatusCreated || said.Number == 0 {
		t.Fatalf("the API answers %d: %s", res.StatusCode, body)
	}
	if res, body := w.api("POST", "/v1"+path, fmt.Sprintf(`{"kind":"next_step_done","next_step":%d}`, said.Number-1)); res.StatusCode != http.StatusCreated {
		t.Errorf("finishing the step answers %d: %s", res.StatusCode, body)
	}
	f, err := report.Load(t.Context(), w.db, reporttest.RunID)
	if err != nil {
		t.Fatal(err)
	}
	steps, lessons := f.Review.NextSteps, f.Review.Lessons
	if s := steps[len(steps)-1]; s.Owner != "dana" || s.By != "marek" || !s.Done || s.Text != "move it <script>" || lessons[len(lessons)-1].Text != "keys leak" {
		t.Errorf("the review holds %+v", f.Review)
	}
	entries, err := w.db.Ledger(t.Context(), reporttest.RunID)
	if err != nil || !strings.Contains(string(entries[len(entries)-3].Body), `"surface":"console"`) || f.LedgerFault != "" {
		t.Errorf("the ledger says %s, %v, %q", entries[len(entries)-3].Body, err, f.LedgerFault)
	}
}

func TestWhatIsNoRemarkChangesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, listing)
	b, path := w.signedIn(), "/runs/"+reporttest.RunID+"/review"
	before, err := w.db.LedgerHead(t.Context(), reporttest.RunID)
	if err != nil {
		t.Fatal(err)
	}
	good := url.Values{"csrf": {b.csrf()}, "kind": {"lesson"}, "text": {"x"}}
	with := func(name, value string) url.Values {
		out := url.Values{}
		for k, v := range good {
			out[k] = v
		}
		out.Set(name, value)
		return out
	}
	for name, c := range map[string]struct {
		form url.Values
		want int
	}{
		"another session's form": {with("csrf", "x"), http.StatusForbidden},
		"no text":                {with("text", " "), http.StatusUnprocessableEntity},
		"a step of nobody":       {with("kind", "next_step"), http.StatusUnprocessableEntity},
		"no number":              {with("next_step", "first"), http.StatusUnprocessableEntity},
	} {
		if res, _ := b.do("POST", path, c.form); res.StatusCode != c.want {
			t.Errorf("%s answers %d, want %d", name, res.StatusCode, c.want)
		}
	}
	if res, _ := b.do("POST", "/runs/run-none/review", good); res.StatusCode != http.StatusNotFound {
		t.Errorf("an unknown run answers %d", res.StatusCode)
	}
	if res, _ := w.stranger().do("POST", "/v1"+path, nil); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("a stranger gets %d", res.StatusCode)
	}
	link := w.stranger()
	link.do("POST", "/sign-in", url.Values{"link": {viewerLink}})
	if res, _ := link.do("POST", path, url.Values{"csrf": {link.csrf()}, "kind": {"lesson"}, "text": {"x"}}); res.StatusCode != http.StatusForbidden {
		t.Errorf("the viewer's link gets %d", res.StatusCode)
	}
	after, err := w.db.LedgerHead(t.Context(), reporttest.RunID)
	if err != nil || after != before {
		t.Errorf("the ledger went from %+v to %+v, %v", before, after, err)
	}
}

func TestTheTimelineComesAsATableAndTheSchemaAsItself(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	res, body := w.api("GET", "/v1/runs/"+reporttest.RunID+"/timeline?format=csv", "")
	rows, err := csv.NewReader(strings.NewReader(body)).ReadAll()
	if err != nil || len(rows) < 10 || !strings.HasPrefix(res.Header.Get("Content-Type"), "text/csv") || !strings.HasPrefix(res.Header.Get("Content-Disposition"), "attachment") {
		t.Errorf("the timeline answers %d, %v: %.200s", res.StatusCode, err, body)
	}
	if res, body := w.api("GET", "/v1/report.schema.json", ""); res.StatusCode != http.StatusOK || body != string(report.SchemaFile()) {
		t.Errorf("the schema answers %d: %.80s", res.StatusCode, body)
	}
	if res, _ := w.api("GET", "/v1/runs/"+reporttest.RunID+"/refund?keep=*", ""); res.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("a refund pack that tells more answers %d", res.StatusCode)
	}
}
