package workflows_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/wire"
)

const probeStep = "  - { id: dead, uses: key.probe, with: { key: \"${{ key }}\" } }\n"

func TestASkippedStepHasNoOutputsAndItsSignoffIsNeverAsked(t *testing.T) {
	t.Parallel()
	d := newDrive(t).compile(playbook(`
  - id: revoke
    if: key.critical
    uses: key.revoke
    with: { key: "${{ key }}" }
    signoff: { by: [{ group: secops, count: 2 }] }
  - id: tell
    uses: incident.update
    with: { text: "${{ steps.revoke.status }} ${{ steps.revoke.outputs?.summary ?? \"nothing\" }}" }
` + probeStep)).run().wants("contained").wantsSteps("tell dead")
	if got := d.house.tries("tell")[0].With["text"]; got != "skipped nothing" {
		t.Errorf("a later step reads %q", got)
	}
	if len(d.house.freezes) != 0 || d.house.status("revoke") != "skipped" {
		t.Errorf("the skipped step was asked %d times and is %q", len(d.house.freezes), d.house.status("revoke"))
	}
}

// twoBranches is a parallel step whose branch a fails as onError says, while branch b goes on for an hour.
func twoBranches(a, b string) string {
	return playbook(fmt.Sprintf(`
  - id: both
    parallel:
      - id: a
        steps:
          - { id: a1, uses: incident.update, with: { text: a }, retry: { attempts: 1 }, on_error: %s }
      - id: b
        steps:
          - { id: b1, wait: 1h }
          - { id: b2, uses: persistence.scan, with: { key: "${{ key }}", since: "${{ now() }}" }, retry: { attempts: 1 }, on_error: %s }
`, a, b) + probeStep)
}

func failing(why string) fake {
	return func(wire.Call) (wire.Result, error) { return wire.Result{}, refused(wire.ErrPermanent, why) }
}

func TestParallelCutsOffNoBranch(t *testing.T) {
	t.Parallel()
	d := newDrive(t).compile(twoBranches("stop", "ask"))
	d.house.fakes["step:both/a/a1"] = failing("broken")
	d.run().wants("failed").wantsSteps("both/b/b2")
	if b2 := d.house.tries("both/b/b2"); len(b2) != 1 || b2[0].when.Sub(start()) != time.Hour {
		t.Error("the other branch did not go on to its end")
	}
	if got := d.house.status("both/a"); got != "failed" {
		t.Errorf("the group of the failed step is %q", got)
	}
}

func TestParallelAnyStopWinsOverFailed(t *testing.T) {
	t.Parallel()
	d := newDrive(t).compile(twoBranches("stop", "ask")).act(answer("both/b/b2", time.Minute, "ana", "Stop"))
	d.house.fakes["step:both/a/a1"] = failing("broken")
	d.house.fakes["step:both/b/b2"] = failing("broken too")
	d.run().wants("stopped")
}

func TestAParkedBranchDoesNotHoldUpItsSiblings(t *testing.T) {
	t.Parallel()
	d := newDrive(t).compile(twoBranches("ask", "ask")).act(answer("both/a/a1", 5*time.Hour, "ana", "Retry"))
	d.house.fakes["step:both/a/a1"] = once(broken("down"))
	d.run().wants("contained").wantsSteps("both/b/b2 both/a/a1 dead")
	if at := d.house.tries("both/b/b2")[0].when.Sub(start()); at != time.Hour {
		t.Errorf("the sibling came after %s", at)
	}
}

func TestABranchThatWaitsForASignoffDoesNotHoldUpItsSiblings(t *testing.T) {
	t.Parallel()
	d := newDrive(t).compile(playbook(`
  - id: both
    parallel:
      - { id: contain, uses: key.contain, with: { key: "${{ key }}" } }
      - { id: scan, uses: persistence.scan, with: { key: "${{ key }}", since: "${{ now() }}" } }
` + probeStep)).act(approve("both/contain", 50*time.Minute, "ana"))
	d.house.auto = false
	d.run().wants("contained").wantsSteps("both/scan both/contain dead")
}

// once fails the first call and then gives nothing remarkable.
func once(err error) fake {
	n := 0
	return func(wire.Call) (wire.Result, error) {
		if n++; n == 1 {
			return wire.Result{}, err
		}
		return wire.Result{Outputs: map[string]any{}}, nil
	}
}

func TestFallingOffTheEndComputesTheOutcome(t *testing.T) {
	t.Parallel()
	for state, outcome := range map[string]string{"refused": "contained", "working": "failed", "unknown": "failed"} {
		d := newDrive(t).compile(playbook(probeStep))
		d.house.fakes["key.probe"] = func(wire.Call) (wire.Result, error) { return result("state", state, "summary", state), nil }
		d.run().wants(outcome)
	}
	newDrive(t).compile(playbook("  - { id: tell, uses: incident.update, with: { text: x } }\n")).run().wants("failed")
}

func TestTheLastProbeCounts(t *testing.T) {
	t.Parallel()
	d := newDrive(t).compile(playbook(probeStep + strings.Replace(probeStep, "dead", "again", 1)))
	d.house.fakes["step:again"] = func(wire.Call) (wire.Result, error) { return result("state", "working", "summary", ""), nil }
	d.run().wants("failed")
}

func TestEndContainedWithoutProofIsFailed(t *testing.T) {
	t.Parallel()
	newDrive(t).compile(playbook("  - { id: over, end: contained }\n")).run().wants("failed")
	newDrive(t).compile(playbook(probeStep + "  - { id: over, if: steps.dead.outputs.state == \"refused\", end: contained }\n  - { id: never, uses: incident.update, with: { text: x } }\n")).
		run().wants("contained").wantsSteps("dead")
}

func TestAFinalStepLeftUndoneIsNotContained(t *testing.T) {
	t.Parallel()
	d := newDrive(t).compile(playbook(`
  - id: revoke
    uses: key.revoke
    with: { key: "${{ key }}" }
    on_error: continue
    signoff: { by: [{ group: secops, count: 2 }] }
`+probeStep)).act(approve("revoke", 1*time.Minute, "ana"), approve("revoke", 2*time.Minute, "bo"))
	d.house.fakes["key.revoke"] = failing("no")
	d.run().wants("failed").wantsSteps("dead")
}

func TestWaitUsesTheWorkflowsClock(t *testing.T) {
	t.Parallel()
	d := newDrive(t).compile(playbook("  - { id: rest, wait: 3d }\n" + probeStep)).run().wants("contained")
	if at := d.house.tries("dead")[0].when.Sub(start()); at != 72*time.Hour {
		t.Errorf("the step behind the wait came after %s", at)
	}
}

func TestVarsAreEvaluatedOnceAfterIdentify(t *testing.T) {
	t.Parallel()
	src := strings.Replace(playbook(`
  - { id: one, uses: incident.update, with: { text: "${{ vars.who }} ${{ string(vars.at) }}" } }
  - { id: rest, wait: 1h }
  - { id: two, uses: incident.update, with: { text: "${{ vars.who }} ${{ string(vars.at) }}" } }
`+probeStep), "steps:", "vars: { who: \"${{ key.owner }}\", at: \"${{ now() }}\" }\nsteps:", 1)
	d := newDrive(t).compile(src).run().wants("contained")
	one, two := d.house.tries("one")[0].With["text"], d.house.tries("two")[0].With["text"]
	if one != two || !strings.HasPrefix(one.(string), "kim 2026-03-04T03:12:00") {
		t.Errorf("vars are %q, then %q", one, two)
	}
}

func TestExpressionsSeeTheAlertsTimesAsTimes(t *testing.T) {
	t.Parallel()
	d := newDrive(t).compile(playbook(`
  - { id: tell, uses: incident.update, with: { text: "${{ string(incident.alerts[0].observed_at - duration(\"1h\")) }} ${{ string(alert.observed_at - duration(\"2h\")) }}" } }
` + probeStep)).run().wants("contained")
	if got := d.house.tries("tell"); len(got) != 1 || !strings.Contains(got[0].With["text"].(string), "02:12:00") || !strings.Contains(got[0].With["text"].(string), "01:12:00") {
		t.Errorf("the text is %v", got)
	}
}

func TestAHintThatFitsSeveralKeysAsksAPerson(t *testing.T) {
	t.Parallel()
	d := newDrive(t).compile(playbook(probeStep)).act(answer("identify", 20*time.Minute, "ana", "gemini:demo:k2"))
	d.house.fakes["key.identify"] = func(c wire.Call) (wire.Result, error) {
		if c.With["choose"] == nil {
			return result("several", []any{"gemini:demo:k1", "gemini:demo:k2"}), nil
		}
		k := testKey()
		k["id"] = strings.TrimPrefix(c.With["choose"].(string), "gemini:demo:")
		return result("key", k), nil
	}
	d.run().wants("contained")
	if key := d.house.tries("dead")[0].With["key"].(map[string]any); key["id"] != "k2" {
		t.Errorf("the key is %v", key["id"])
	}
}

func TestNobodyNamesTheKeySoNothingIsTouched(t *testing.T) {
	t.Parallel()
	d := newDrive(t).compile(playbook("  - { id: contain, uses: key.contain, with: { key: \"${{ key }}\" } }\n")).act(answer("identify", 20*time.Hour, "ana", "Stop"))
	d.house.fakes["key.identify"] = func(wire.Call) (wire.Result, error) { return result("several", []any{"a", "b"}), nil }
	d.run().wants("stopped").wantsSteps("")
	if len(d.house.reminded) < 70 {
		t.Errorf("people were reminded %d times in twenty hours", len(d.house.reminded))
	}
}

func TestAnAlertWithoutKeyRunsAPlaybookThatNeedsNone(t *testing.T) {
	t.Parallel()
	src := strings.Replace(playbook("  - { id: tell, uses: incident.update, with: { text: x } }\n  - { id: over, end: stopped }\n"), "steps:", "needs_key: false\nsteps:", 1)
	d := newDrive(t).compile(src).run().wants("stopped").wantsSteps("tell")
	if len(d.house.tries("identify")) != 0 {
		t.Error("a key was looked for")
	}
}

func TestARunWhoseKeyAnotherIncidentAnswersForEndsAsJoined(t *testing.T) {
	t.Parallel()
	d := newDrive(t).compile(playbook(probeStep) + "finally:\n  - { id: report, uses: incident.report }\n")
	d.house.fakes["key.identify"] = func(wire.Call) (wire.Result, error) { return result("joined", "inc-0"), nil }
	d.run().wants("joined").wantsSteps("")
}

func TestOnFailureThenFinally(t *testing.T) {
	t.Parallel()
	tail := "on_failure:\n  - { id: page, uses: people.page, with: { group: secops, text: \"${{ run.id }}\" } }\nfinally:\n  - { id: report, uses: incident.report }\n"
	for outcome, steps := range map[string]string{
		"failed":    "  - { id: over, end: failed }\n",
		"stopped":   "  - { id: over, end: stopped }\n",
		"contained": probeStep,
	} {
		want := map[string]string{"failed": "page report", "stopped": "page report", "contained": "dead report"}[outcome]
		newDrive(t).compile(playbook(steps) + tail).run().wants(outcome).wantsSteps(want)
	}
}

func TestFinallyRunsWhenTheRunIsCancelled(t *testing.T) {
	t.Parallel()
	tail := "on_failure:\n  - { id: page, uses: people.page, with: { group: secops, text: x } }\nfinally:\n  - { id: report, uses: incident.report }\n"
	waiting := map[string]string{
		"pause":   "  - { id: a, wait: 1d }\n",
		"parked":  "  - { id: a, uses: incident.update, with: { text: x } }\n",
		"signoff": "  - { id: a, uses: key.revoke, with: { key: \"${{ key }}\" }, signoff: { by: [{ group: secops, count: 2 }] } }\n",
		"asked":   "  - { id: a, ask: { from: secops, prompt: x, choices: [y, n], within: 10h, otherwise: n } }\n",
		"sub":     "  - { id: a, playbook: other }\n",
	}
	for name, steps := range waiting {
		d := newDrive(t)
		d.others = map[string][]byte{"other": []byte("schema: tourniquet/v1\nid: other\ntitle: o\ninputs: {}\nsteps:\n  - { id: b, wait: 1d }\nfinally:\n  - { id: inner, uses: incident.report }\n")}
		d.compile(playbook(steps) + tail)
		d.house.fakes["incident.update"] = failing("no")
		d.env.RegisterDelayedCallback(d.env.CancelWorkflow, 2*time.Hour)
		want := "report"
		if name == "sub" {
			want = "a/inner report"
		}
		d.run().wants("cancelled").wantsSteps(want)
		if len(d.house.closes) != 1 || d.house.closes[0].Outcome != "cancelled" {
			t.Errorf("%s: the records say %v", name, d.house.closes)
		}
	}
}

func TestWhatACancelledSignoffBecameIsWrittenDown(t *testing.T) {
	t.Parallel()
	d := newDrive(t).compile(playbook("  - { id: a, uses: key.revoke, with: { key: \"${{ key }}\" }, signoff: { by: [{ group: secops, count: 2 }] } }\n"))
	d.env.RegisterDelayedCallback(d.env.CancelWorkflow, time.Hour)
	d.run().wants("cancelled")
	if d.house.events("signoff.cancelled") != 1 {
		t.Error("the ledger does not know that the sign-off was cancelled")
	}
}

func TestACancelledRunWaitsForTheCallThatWasSent(t *testing.T) {
	t.Parallel()
	d := newDrive(t).compile(signed("")).act(both("revoke", 1)...)
	d.house.fakes["key.revoke"] = func(wire.Call) (wire.Result, error) {
		d.env.CancelWorkflow()
		return result("summary", "deleted"), nil
	}
	d.run().wants("cancelled").wantsSteps("revoke")
	if last := d.house.settled[len(d.house.settled)-1]; last.State != "done" {
		t.Errorf("the sign-off is %s although its call came through", last.State)
	}
	d = newDrive(t).compile(playbook("  - { id: contain, uses: key.contain, with: { key: \"${{ key }}\" } }\n" + probeStep))
	d.house.fakes["key.contain"] = func(wire.Call) (wire.Result, error) {
		d.env.CancelWorkflow()
		return wire.Result{Undo: "key.restore"}, nil
	}
	d.run().wants("cancelled").wantsSteps("contain")
	if got := d.house.closes[0].InForce; len(got) != 1 {
		t.Errorf("in force is %v", got)
	}
}

func TestTheirFailureNeverChangesTheOutcome(t *testing.T) {
	t.Parallel()
	d := newDrive(t).compile(playbook("  - { id: over, end: stopped }\n") + `
on_failure:
  - { id: page, uses: people.page, with: { group: secops, text: x } }
finally:
  - id: both
    steps:
      - { id: tell, uses: incident.update, with: { text: x } }
      - { id: report, uses: incident.report }
`)
	d.house.fakes["people.page"], d.house.fakes["incident.update"] = failing("no"), failing("no")
	d.run().wants("stopped").wantsSteps("both/report")
	if len(d.house.questions) != 0 {
		t.Error("a step after the end parked the run")
	}
}
