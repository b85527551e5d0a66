package workflows_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

func triage(more string) string {
	return playbook(`
  - id: triage
    ask: { from: secops, prompt: "Abuse?", choices: [abuse, legitimate], within: 30m, otherwise: abuse }
` + more)
}

const tellTriage = `  - { id: tell, uses: incident.update, with: { text: "${{ steps.triage.outputs.choice }} by ${{ steps.triage.outputs.by ?? \"nobody\" }}" } }
`

func TestTheFirstAnswerOfAMemberWinsLaterOnesAreRefused(t *testing.T) {
	t.Parallel()
	d := newDrive(t).compile(triage("  - { id: rest, wait: 1h }\n"+tellTriage+probeStep)).act(
		answer("triage", 1*time.Minute, "lee", "legitimate").refused(signoff.NotEligible),
		answer("triage", 2*time.Minute, "bo", "neither").refused(signoff.NotEligible),
		answer("triage", 3*time.Minute, "ana", "legitimate"),
		answer("triage", 4*time.Minute, "bo", "abuse").refused(signoff.ClosedCode),
	).run().wants("contained")
	if got := d.house.tries("tell")[0].With["text"]; got != "legitimate by ana" {
		t.Errorf("the answer is %q", got)
	}
}

func TestOtherwiseHoldsWhenNobodyAnswers(t *testing.T) {
	t.Parallel()
	d := newDrive(t).compile(triage(tellTriage + probeStep)).run().wants("contained")
	tell := d.house.tries("tell")[0]
	if tell.With["text"] != "abuse by nobody" || tell.when.Sub(start()) != 30*time.Minute {
		t.Errorf("%q after %s", tell.With["text"], tell.when.Sub(start()))
	}
}

func TestAForgedOrMisplacedAnswerIsRefused(t *testing.T) {
	t.Parallel()
	forged := answer("triage", 1*time.Minute, "ana", "abuse").refused(signoff.BadSignature)
	forged.forge = func(d *signoff.Decision) { d.Reason = "legitimate" }
	other := answer("triage", 2*time.Minute, "ana", "legitimate").refused(signoff.StaleDigest)
	other.change = func(d *signoff.Decision) { d.Digest = "sha256:" + strings.Repeat("0", 64) }
	approval := answer("triage", 3*time.Minute, "ana", "legitimate").refused(signoff.StaleDigest)
	approval.change = func(d *signoff.Decision) { d.Verb = signoff.Approve }
	newDrive(t).compile(triage(probeStep)).act(forged, other, approval).run().wants("contained")
}

const form = `
  - id: facts
    ask: { from: secops, prompt: "What do you know?", form: [{ name: story, type: string, doc: in one sentence }, { name: calls, type: int }, { name: sure, type: bool }], within: 30m, otherwise: stop }
  - { id: tell, uses: incident.update, with: { text: "${{ steps.facts.outputs.story }} ${{ steps.facts.outputs.calls + 1 }} ${{ steps.facts.outputs.sure }} ${{ steps.facts.outputs.by ?? \"nobody\" }}" } }
`

func TestAFormGivesItsFieldsAndWhoFilledIt(t *testing.T) {
	t.Parallel()
	d := newDrive(t).compile(playbook(form+probeStep)).act(
		answer("facts", 1*time.Minute, "ana", `{"story":"x","calls":1.5,"sure":true}`).refused(signoff.NotEligible),
		answer("facts", 2*time.Minute, "ana", `{"story":"x","calls":1}`).refused(signoff.NotEligible),
		answer("facts", 3*time.Minute, "ana", `{"story":"x","calls":1,"sure":true,"more":1}`).refused(signoff.NotEligible),
		answer("facts", 4*time.Minute, "ana", "stop").refused(signoff.NotEligible),
		answer("facts", 5*time.Minute, "lee", `{"story":"x","calls":1,"sure":true}`).refused(signoff.NotEligible),
		answer("facts", 6*time.Minute, "ana", `{"story":"load test","calls":41,"sure":true}`),
	).run().wants("contained")
	if got := d.house.tries("tell")[0].With["text"]; got != "load test 42 true ana" {
		t.Errorf("the fields are %q", got)
	}
	if prompt := d.house.questions[0].Prompt; !strings.Contains(prompt, `"story": string, in one sentence`) {
		t.Errorf("people are not told how to fill it: %q", prompt)
	}
}

func TestAFormThatNobodyFillsStopsTheRun(t *testing.T) {
	t.Parallel()
	newDrive(t).compile(playbook(form + probeStep)).run().wants("stopped").wantsSteps("")
}

func TestAnAnswerIsNoPermission(t *testing.T) {
	t.Parallel()
	d := newDrive(t).compile(playbook(`
  - id: triage
    ask: { from: secops, prompt: "Revoke?", choices: ["yes", "no"], within: 30m, otherwise: "no" }
  - id: revoke
    if: steps.triage.outputs.choice == "yes"
    uses: key.revoke
    with: { key: "${{ key }}" }
    signoff: { by: [{ group: secops, count: 2 }], within: 1h }
`)).act(answer("triage", time.Minute, "ana", "yes"), approve("revoke", time.Minute, "ana"))
	d.run().wants("stopped").wantsSteps("")
	if len(d.house.freezes) != 1 {
		t.Error("the sign-off was not asked")
	}
}
