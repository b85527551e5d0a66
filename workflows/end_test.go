package workflows_test

import (
	"slices"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
)

// alarm has two things in force when somebody says that it was nothing.
const alarm = `
  - { id: contain, uses: key.contain, with: { key: "${{ key }}" } }
  - { id: again, uses: key.contain, with: { key: "${{ key }}" } }
  - id: triage
    ask: { from: secops, prompt: "Abuse?", choices: [abuse, legitimate], within: 30m, otherwise: abuse }
  - { id: nothing, if: steps.triage.outputs.choice == "legitimate", end: false_alarm }
` + probeStep

func TestFalseAlarmAsksForTheUndoOfWhatIsInForceNewestFirst(t *testing.T) {
	t.Parallel()
	d := newDrive(t).compile(playbook(alarm)).act(answer("triage", time.Minute, "ana", "legitimate"),
		approve("undo", 1*time.Minute, "kim").refused(signoff.ExcludedCode), approve("undo", 2*time.Minute, "ana"), approve("undo", 3*time.Minute, "bo"))
	d.run().wants("false_alarm").wantsSteps("contain again undo/undo_1 undo/undo_2")
	if f := d.house.freezes; len(f) != 1 || !f[0].Undo || len(f[0].Calls) != 2 {
		t.Fatalf("the undos were asked as %v", f)
	}
	for i, step := range []string{"again", "contain"} {
		if got := d.house.freezes[0].Calls[i]; got.Action != "key.restore" || got.With["step"] != step {
			t.Errorf("undo %d takes back %v with %s", i+1, got.With["step"], got.Action)
		}
	}
	if len(d.house.closes[0].InForce) != 0 {
		t.Errorf("still in force: %v", d.house.closes[0].InForce)
	}
}

// spare makes a key before anybody says whether it was abuse.
const spare = `
  - { id: contain, uses: key.contain, with: { key: "${{ key }}" } }
  - { id: fresh, uses: key.create, with: { like: "${{ key }}" } }
  - id: triage
    ask: { from: secops, prompt: "Abuse?", choices: [abuse, legitimate], within: 30m, otherwise: abuse }
  - { id: nothing, if: steps.triage.outputs.choice == "legitimate", end: false_alarm }
  - id: hand_over
    uses: dependent.update
    with: { dependent: "${{ key.dependents[0] }}", key: "${{ steps.fresh.outputs.key }}" }
    signoff: { by: [{ group: secops, count: 1 }], why: w, within: 1h, otherwise: skip }
` + probeStep

func TestAFalseAlarmTakesTheUnusedNewKeyBackToo(t *testing.T) {
	t.Parallel()
	d := newDrive(t).compile(playbook(spare)).act(answer("triage", time.Minute, "ana", "legitimate")).act(both("undo", 1)...)
	d.run().wants("false_alarm").wantsSteps("contain fresh undo/undo_1 undo/undo_2")
	first := d.house.freezes[0].Calls[0]
	if first.Action != "key.discard" || first.With["step"] != "fresh" || len(first.With) != 1 {
		t.Errorf("the creation is taken back by %+v: it names the step, and not the stolen key", first)
	}
}

func TestANewKeyIsInForceUntilADependentHasIt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		moves []*move
		want  []string
	}{
		"taken over": {both("hand_over", 1), []string{"contain"}},
		"never":      {[]*move{reject("hand_over", time.Minute, "ana")}, []string{"contain", "fresh"}},
	} {
		d := newDrive(t).compile(playbook(spare)).act(c.moves...)
		d.house.fakes["dependent.update"] = func(wire.Call) (wire.Result, error) {
			return wire.Result{UsedUp: []string{"fresh"}}, nil
		}
		d.run()
		if got := d.house.closes[0].InForce; !slices.Equal(got, c.want) {
			t.Errorf("%s: in force is %v", name, got)
		}
	}
}

func TestWhatIsDoneAtTheEndMayAskHowTheRunEnded(t *testing.T) {
	t.Parallel()
	tail := "\nfinally:\n  - { id: stand_down, if: run.outcome == \"false_alarm\", uses: incident.close, with: { summary: \"${{ steps.triage.outputs?.by ?? \\\"nobody\\\" }} said ${{ run.outcome }}\" } }\n"
	for name, c := range map[string]struct {
		moves []*move
		want  string
	}{
		"taken back":       {both("undo", 1), "ana said false_alarm"},
		"nobody signed it": {nil, ""},
	} {
		d := newDrive(t).compile(playbook(alarm) + tail).act(answer("triage", time.Minute, "ana", "legitimate")).act(c.moves...)
		d.run()
		said := ""
		for _, call := range d.house.calls {
			if call.Action == "incident.close" {
				said, _ = call.With["summary"].(string)
			}
		}
		if said != c.want {
			t.Errorf("%s: the ticket is closed with %q, want %q", name, said, c.want)
		}
	}
}

func TestRejectedUndoLeavesContainmentInForceAndTheOutcomeStopped(t *testing.T) {
	t.Parallel()
	for name, moves := range map[string][]*move{"rejected": {reject("undo", time.Minute, "bo")}, "expired": {approve("undo", time.Minute, "bo")}} {
		d := newDrive(t).compile(playbook(alarm)).act(answer("triage", time.Minute, "ana", "legitimate")).act(moves...)
		d.run().wants("stopped").wantsSteps("contain again")
		if got := d.house.closes[0].InForce; len(got) != 2 {
			t.Errorf("%s: in force is %v", name, got)
		}
	}
}

func TestAnUndoThatStopsHalfwaySaysWhatIsStillInForce(t *testing.T) {
	t.Parallel()
	d := newDrive(t).compile(playbook(alarm)).act(answer("triage", time.Minute, "ana", "legitimate"), answer("undo/undo_2", time.Minute, "bo", "Stop")).act(both("undo", 1)...)
	d.house.fakes["step:undo/undo_2"] = failing("the key was changed since")
	d.run().wants("stopped").wantsSteps("contain again undo/undo_1")
	if got := d.house.closes[0].InForce; len(got) != 1 || got[0] != "contain" {
		t.Errorf("in force is %v", got)
	}
}

func TestAFalseAlarmWithNothingInForceAsksNobody(t *testing.T) {
	t.Parallel()
	d := newDrive(t).compile(triage("  - { id: nothing, if: steps.triage.outputs.choice == \"legitimate\", end: false_alarm }\n" + probeStep)).act(answer("triage", time.Minute, "ana", "legitimate"))
	d.run().wants("false_alarm").wantsSteps("")
	if len(d.house.freezes) != 0 {
		t.Error("somebody was asked")
	}
}

func TestNothingIsUndoneOnStoppedOrFailed(t *testing.T) {
	t.Parallel()
	for _, outcome := range []string{"stopped", "failed"} {
		d := newDrive(t).compile(playbook("  - { id: contain, uses: key.contain, with: { key: \"${{ key }}\" } }\n  - { id: over, end: " + outcome + " }\n"))
		d.run().wants(outcome).wantsSteps("contain")
		if got := d.house.closes[0]; len(got.InForce) != 1 || got.Outcome != outcome {
			t.Errorf("the records say %v", got)
		}
	}
}

func TestAnEndInsideAGroupEndsTheRun(t *testing.T) {
	t.Parallel()
	d := newDrive(t).compile(playbook("  - id: g\n    steps:\n      - { id: dead, uses: key.probe, with: { key: \"${{ key }}\" } }\n      - { id: over, if: steps.dead.outputs.state == \"refused\", end: contained }\n  - { id: never, uses: incident.update, with: { text: x } }\n"))
	d.run().wants("contained").wantsSteps("g/dead")
	if got := d.house.status("g"); got != "done" {
		t.Errorf("the group is %q", got)
	}
}

func sub(inner, more string) (map[string][]byte, string) {
	return map[string][]byte{"other": []byte("schema: tourniquet/v1\nid: other\ntitle: o\ninputs: { text: { type: string, required: true } }\nvars: { loud: \"${{ upper(inputs.text) }}\" }\nsteps:\n  - { id: say, uses: incident.update, with: { text: \"${{ vars.loud }} ${{ key.id }} ${{ incident.id }}\" } }\n" + inner)},
		playbook("  - { id: inner, playbook: other, with: { text: hey } }\n" + more)
}

func TestASubPlaybookIsDoneWhenContainedAndFailedOtherwise(t *testing.T) {
	t.Parallel()
	revoke := "  - { id: revoke, uses: key.revoke, with: { key: \"${{ key }}\" }, signoff: { by: [{ group: secops, count: 2 }], within: 1h } }\n"
	tell := "  - { id: tell, uses: incident.update, with: { text: \"${{ steps.inner.status }} ${{ steps.inner.outputs.outcome }}\" } }\n"
	for name, c := range map[string]struct{ inner, more, outcome, steps, told string }{
		"contained":           {probeStep, tell, "contained", "inner/say inner/dead tell", "done contained"},
		"its outcome is read": {revoke, tell + probeStep, "failed", "inner/say tell dead", "failed stopped"},
		"stopped, not read":   {revoke, probeStep, "stopped", "inner/say", ""},
		"failed, not read":    {"  - { id: over, end: failed }\n", probeStep, "failed", "inner/say", ""},
	} {
		d := newDrive(t)
		var src string
		d.others, src = sub(c.inner, c.more)
		d.compile(src).run().wants(c.outcome).wantsSteps(c.steps)
		if got := d.house.tries("inner/say")[0].With["text"]; got != "HEY k1 inc-1" {
			t.Errorf("%s: inside it reads %q", name, got)
		}
		if c.told != "" && d.house.tries("tell")[0].With["text"] != c.told {
			t.Errorf("%s: outside it reads %q", name, d.house.tries("tell")[0].With["text"])
		}
	}
}

func TestASubPlaybookHasItsOwnSignoffs(t *testing.T) {
	t.Parallel()
	d := newDrive(t)
	var src string
	d.others, src = sub("  - { id: revoke, uses: key.revoke, with: { key: \"${{ key }}\" }, signoff: { by: [{ group: secops, count: 2 }] } }\n"+probeStep, "")
	d.compile(src).act(both("inner/revoke", 1)...).run().wants("contained").wantsSteps("inner/say inner/revoke inner/dead")
}

func TestASubPlaybookIsShownInModeObserveAndTheParentGoesOn(t *testing.T) {
	t.Parallel()
	d := newDrive(t)
	var src string
	d.others, src = sub("  - { id: contain, uses: key.contain, with: { key: \"${{ key }}\" } }\n", "  - { id: tell, uses: incident.update, with: { text: x } }\n")
	d.start.Run.Mode = incident.ModeObserve
	d.compile(src).run().wants("stopped").wantsSteps("inner/say tell")
	if d.house.status("inner") != "planned" || d.house.status("inner/contain") != "planned" {
		t.Errorf("inside it is %q", d.house.status("inner/contain"))
	}
}

func TestLaterAlertsJoin(t *testing.T) {
	t.Parallel()
	d := newDrive(t).compile(playbook("  - { id: rest, wait: 1h }\n  - { id: tell, uses: incident.update, with: { text: \"${{ len(incident.alerts) }} ${{ string(incident.alerts[1].observed_at - duration(\\\"1h\\\")) }} ${{ alert.id }}\" } }\n" + probeStep))
	d.env.RegisterDelayedCallback(func() {
		d.env.SignalWorkflow(wire.SignalAlerts, []map[string]any{{"id": "a2", "observed_at": "2026-03-04T05:00:00Z"}})
	}, time.Minute)
	d.run().wants("contained")
	if got := d.house.tries("tell")[0].With["text"]; got != "2 2026-03-04T04:00:00Z a1" {
		t.Errorf("the run sees %q", got)
	}
}

func TestAlertsThatArriveWhileItClosesAreTakenInFirst(t *testing.T) {
	t.Parallel()
	d := newDrive(t).compile(playbook(probeStep))
	n := 0
	d.house.closing = func(wire.Close) wire.Closed { n++; return wire.Closed{Again: n < 3} }
	d.run().wants("contained")
	if len(d.house.closes) != 3 {
		t.Errorf("closed %d times", len(d.house.closes))
	}
}

func TestARawSignalOrUpdateFiresNothing(t *testing.T) {
	t.Parallel()
	d := newDrive(t).compile(signed("") + "finally:\n  - { id: report, uses: incident.report }\n")
	d.env.RegisterDelayedCallback(func() {
		d.env.SignalWorkflow("approve", map[string]any{"request": "so-revoke-1"})
		d.env.SignalWorkflow(wire.UpdateDecide, wire.Decide{Request: "so-revoke-1"})
		d.update(wire.UpdateDecide, &move{by: "raw"}, wire.Decide{Request: "so-revoke-1", Decision: signoff.Decision{Person: "ana", Verb: signoff.Approve}})
		d.update(wire.UpdateDecide, &move{by: "raw"}, wire.Decide{})
		d.update(wire.UpdateAnswer, &move{by: "raw"}, wire.Answer{})
	}, time.Minute)
	d.run().wants("stopped").wantsSteps("report")
}

func TestObserveModeDoesNothingUndoableOrFinal(t *testing.T) {
	t.Parallel()
	d := newDrive(t).compile(playbook(`
  - { id: contain, uses: key.contain, with: { key: "${{ key }}" } }
  - { id: tell, uses: incident.update, with: { text: "${{ steps.contain.outputs.summary }}" } }
  - id: triage
    ask: { from: secops, prompt: "Abuse?", choices: [abuse, legitimate], within: 30m, otherwise: abuse }
  - id: revoke
    uses: key.revoke
    with: { key: "${{ key }}" }
    signoff: { by: [{ group: secops, count: 2 }] }
  - { id: dead, uses: key.probe, with: { key: "${{ key }}" }, until: result.state == "refused", every: 30s, within: 1h }
` + "finally:\n  - { id: report, uses: incident.report }\n"))
	d.start.Run.Mode = incident.ModeObserve
	d.house.fakes["key.probe"] = func(wire.Call) (wire.Result, error) { return result("state", "working", "summary", ""), nil }
	d.run().wants("stopped").wantsSteps("report")
	if len(d.house.freezes)+len(d.house.questions) != 0 || len(d.house.previews) != 2 {
		t.Errorf("asked %d and %d, shown %d", len(d.house.freezes), len(d.house.questions), len(d.house.previews))
	}
	for _, step := range []string{"contain", "revoke"} {
		if got := d.house.status(step); got != "planned" || len(d.house.tries(step)) != 0 {
			t.Errorf("%s is %q and was called %d times", step, got, len(d.house.tries(step)))
		}
	}
}
