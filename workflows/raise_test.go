package workflows_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
)

const containStep = "  - { id: contain, uses: key.contain, with: { key: \"${{ key }}\" } }\n"

// hears sends a later alert after a while; opens says whether policy automates undoable calls from then on.
func (d *drive) hears(after time.Duration, trust, kind, severity string, opens bool) {
	d.env.RegisterDelayedCallback(func() {
		d.house.mu.Lock()
		d.house.auto = opens
		d.house.mu.Unlock()
		d.env.SignalWorkflow(wire.SignalAlerts, []map[string]any{{"id": "a2", "trust": trust, "kind": kind, "severity": severity}})
	}, after)
}

// raised lists what the ledger says of raises.
func (h *house) raised() (all []string) {
	for _, b := range h.batches {
		for _, e := range b.Events {
			var body map[string]string
			if e.Kind == "run.raised" && json.Unmarshal(e.Body, &body) == nil {
				all = append(all, body["what"]+" "+body["to"])
			}
		}
	}
	return all
}

func distrusted(t *testing.T) *drive {
	d := newDrive(t).compile(playbook(containStep + probeStep))
	d.start.Run.Trust, d.start.Alert.Severity, d.house.auto = incident.TrustTell, "medium", false
	return d
}

func TestASourceThatMayActOpensWhatWaitedForPeopleOnlyByPolicy(t *testing.T) {
	t.Parallel()
	d := distrusted(t)
	d.hears(5*time.Minute, incident.TrustAct, incident.KindKeyLeaked, "critical", true)
	d.run().wants("contained").wantsSteps("contain dead")
	if tries := d.house.tries("contain"); tries[len(tries)-1].Grant != nil || tries[len(tries)-1].when.Sub(start()) != 5*time.Minute {
		t.Errorf("contained %s after the start with grant %v", tries[len(tries)-1].when.Sub(start()), tries[len(tries)-1].Grant != nil)
	}
	if got := strings.Join(d.house.raised(), ", "); got != "severity critical, trust act" {
		t.Errorf("the ledger says %q", got)
	}
	if len(d.house.reminded) == 0 || !strings.Contains(d.house.reminded[0].Why, "critical") {
		t.Errorf("nobody was told of the severity: %+v", d.house.reminded)
	}
	if last := d.house.settled[len(d.house.settled)-1]; last.State != signoff.StateVoided || last.Request != "so-contain-1" {
		t.Errorf("the request that is no longer needed is %+v", last)
	}
}

func TestWhenPolicyStillWantsPeopleTheyAreAskedAnew(t *testing.T) {
	t.Parallel()
	d := distrusted(t)
	d.hears(5*time.Minute, incident.TrustAct, incident.KindUsageAnomaly, "low", false)
	d.act(approve("contain", 1*time.Minute, "ana").again(2))
	d.run().wants("contained").wantsSteps("contain dead")
	if got := strings.Join(d.house.raised(), ", "); got != "trust act" {
		t.Errorf("the ledger says %q", got)
	}
}

func TestNothingElseOpensWhatWaitsForPeople(t *testing.T) {
	t.Parallel()
	for name, a := range map[string][2]string{
		"severity alone": {incident.TrustTell, incident.KindKeyLeaked}, "the end of another alert": {incident.TrustAct, incident.KindResolved},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := distrusted(t)
			d.hears(5*time.Minute, a[0], a[1], "critical", true)
			d.run().wants("stopped").wantsSteps("")
			if len(d.house.views) != 1 {
				t.Errorf("people were asked %d times", len(d.house.views))
			}
		})
	}
}

func TestASignoffOfThePlaybookStaysWhateverALaterAlertSays(t *testing.T) {
	t.Parallel()
	d := newDrive(t).compile(signed("")).act(approve("revoke", 1*time.Minute, "ana"), approve("revoke", 10*time.Minute, "bo"))
	d.start.Run.Trust = incident.TrustTell
	d.hears(5*time.Minute, incident.TrustAct, incident.KindKeyLeaked, "critical", true)
	d.run().wants("contained").wantsSteps("revoke dead")
	if len(d.house.views) != 1 {
		t.Errorf("people were asked %d times", len(d.house.views))
	}
}

func TestExpressionsSeeTheHighestSeverityAndAStormIsHeardOnce(t *testing.T) {
	t.Parallel()
	d := newDrive(t).compile(playbook("  - { id: rest, wait: 1h }\n  - { id: tell, uses: incident.update, with: { text: \"${{ incident.severity }} ${{ len(incident.alerts) }}\" } }\n" + probeStep))
	d.start.Alert.Severity = "low"
	d.env.RegisterDelayedCallback(func() {
		for range 300 {
			d.env.SignalWorkflow(wire.SignalAlerts, []map[string]any{{"id": "a", "severity": "high"}, {"id": "b", "severity": "nonsense"}})
		}
	}, time.Minute)
	d.run().wants("contained")
	if got := d.house.tries("tell")[0].With["text"]; got != "high 100" {
		t.Errorf("the run sees %q", got)
	}
}
