package console_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/tourniquet-ir/tourniquet/internal/console"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/report/reporttest"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

func TestThePageOfAnAlertSaysWhichPlaybookAnswersAndWhichPartOfTheOthersFails(t *testing.T) {
	t.Parallel()
	programs := []*playbooks.Program{
		{ID: "leak", Trigger: `alert.kind == "key.leaked" && alert.severity != "low"`},
		{ID: "quiet", Trigger: `alert.kind == "key.leaked" && alert.severity == "low"`},
	}
	w := newWorld(t, func(o *console.Options) {
		o.Explain = func(a incident.Alert) []playbooks.Explained {
			return playbooks.ExplainAll(programs, a.Env(), a.NamesKey(), reporttest.Start())
		}
	})
	b := w.signedIn()
	res, body := b.do("GET", "/alerts/al-01", nil)
	if res.StatusCode != http.StatusOK {
		t.Fatalf("%d", res.StatusCode)
	}
	for _, want := range []string{"leak", "answers", "quiet", "does not answer", "alert.severity", "critical", reporttest.RunID, "sha256:"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if _, list := b.do("GET", "/alerts", nil); !strings.Contains(list, `href="/alerts/al-01"`) {
		t.Error("the list does not lead to the alert")
	}
	if res, _ := b.do("GET", "/alerts/al-none", nil); res.StatusCode != http.StatusNotFound {
		t.Errorf("an alert that does not exist: %d", res.StatusCode)
	}
}

func TestAlertsAreFilteredByWhatBecameOfThem(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.signedIn()
	_, all := b.do("GET", "/v1/alerts", nil)
	if !strings.Contains(all, `"al-01"`) {
		t.Fatal("the alert of the fixture is not in the list, so this test says nothing")
	}
	if err := w.db.SetFate(t.Context(), "al-01", incident.FateSuppressed, "a silence", ""); err != nil {
		t.Fatal(err)
	}
	for fate, want := range map[string]bool{incident.FateSuppressed: true, incident.FateSetAside: false, "<script>": false} {
		for _, path := range []string{"/alerts?fate=", "/v1/alerts?fate="} {
			res, body := b.do("GET", path+fate, nil)
			if res.StatusCode != http.StatusOK || strings.Contains(body, "al-01") != want || strings.Contains(body, "<script>") {
				t.Errorf("%s%s answers %d", path, fate, res.StatusCode)
			}
		}
	}
}
