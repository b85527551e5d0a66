package workflows_test

import (
	"slices"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

func shipped(t *testing.T) *drive {
	t.Helper()
	src, err := playbooks.Library.ReadFile("library/llmjacking.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return newDrive(t).compile(string(src))
}

func TestTheShippedPlaybookContains(t *testing.T) {
	t.Parallel()
	d := shipped(t).act(
		answer("triage", 30*time.Second, "ana", "abuse"),
		approve("replace", 1*time.Minute, "ana"), approve("replace", 2*time.Minute, "bo"), approve("replace", 3*time.Minute, "lee"),
		approve("revoke", 1*time.Minute, "ana"), approve("revoke", 2*time.Minute, "bo"),
	)
	probes := 0
	d.house.fakes["key.probe"] = func(wire.Call) (wire.Result, error) {
		if probes++; probes < 3 {
			return result("state", "working", "summary", "working: 200"), nil
		}
		return result("state", "refused", "summary", "refused: 400"), nil
	}
	d.run().wants("contained")
	got := d.house.called()
	slices.Sort(got[:5])
	want := []string{"incident.open", "key.contain", "owners.notify", "persistence.scan", "usage.snapshot", "sessions.revoke", "key.create"}
	if !slices.Equal(got[:7], want) || !slices.Equal(got[13:], []string{"key.revoke", "key.probe", "incident.close", "incident.report"}) {
		t.Errorf("called were %v", got)
	}
	if gap := at(d, "dead"); len(gap) != 3 || gap[2]-gap[0] != time.Minute {
		t.Errorf("the proof was looked for at %v", gap)
	}
	if text := d.house.tries("close_incident")[0].With["summary"]; text != "refused: 400" {
		t.Errorf("the incident was closed with %q", text)
	}
	if len(d.house.settled) < 4 || d.house.closes[0].Outcome != incident.OutcomeContained {
		t.Error("the records were not settled")
	}
}

func TestTheShippedPlaybookDoesNothingFinalWhenNobodyAnswers(t *testing.T) {
	t.Parallel()
	d := shipped(t).run().wants("stopped")
	got := d.house.called()
	for _, never := range []string{"key.revoke", "key.create", "dependent.update"} {
		if slices.Contains(got, never) {
			t.Errorf("%s was called", never)
		}
	}
	for _, tried := range []string{"revoke", "replace/fresh"} {
		if len(d.house.tries(tried)) != 0 {
			t.Errorf("%s was tried", tried)
		}
	}
	for _, still := range []string{"key.contain", "usage.snapshot", "people.page", "incident.report"} {
		if !slices.Contains(got, still) {
			t.Errorf("%s was not called", still)
		}
	}
	if got := d.house.closes[0].InForce; !slices.Contains(got, "first_minute/stop_the_spend/contain") {
		t.Errorf("in force is %v", got)
	}
}

func TestTheShippedPlaybookTakesBackAFalseAlarm(t *testing.T) {
	t.Parallel()
	d := shipped(t).act(answer("triage", 30*time.Second, "ana", "legitimate")).act(both("undo", 1)...).run().wants("false_alarm")
	if got := d.house.called(); !slices.Contains(got, "key.restore") || slices.Contains(got, "key.create") {
		t.Errorf("called were %v", got)
	}
}

func TestTheShippedPlaybookOnlyShowsInModeObserve(t *testing.T) {
	t.Parallel()
	d := shipped(t)
	d.start.Run.Mode = incident.ModeObserve
	d.house.fakes["key.probe"] = func(wire.Call) (wire.Result, error) { return result("state", "working", "summary", ""), nil }
	d.run().wants("stopped")
	for _, c := range d.house.calls {
		if e := d.house.cards[c.Action].Effect; e == "undoable" || e == "final" {
			t.Errorf("%s was called", c.Action)
		}
	}
	if len(d.house.freezes)+len(d.house.questions) != 0 || len(d.house.previews) < 3 {
		t.Errorf("asked %d and %d, shown %d", len(d.house.freezes), len(d.house.questions), len(d.house.previews))
	}
}
