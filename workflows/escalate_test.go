package workflows_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
)

// pinged are the groups that were woken, with the request's step.
func pinged(d *drive) (groups []string) {
	for _, r := range d.house.reminded {
		if r.Group != "" {
			groups = append(groups, r.Group)
		}
	}
	return groups
}

func TestEscalationPingsAndNeverMakesEligible(t *testing.T) {
	t.Parallel()
	d := newDrive(t).compile(signed(", escalate: [{ after: 20m, to: secops_lead }]")).act(
		approve("revoke", 25*time.Minute, "ana"),
		approve("revoke", 30*time.Minute, "lee").refused(signoff.NotEligible),
	).run().wants("stopped").wantsSteps("")
	if got := pinged(d); len(got) != 1 || got[0] != "secops_lead" {
		t.Errorf("pinged were %v", got)
	}
	if d.house.events("signoff.escalated") != 1 {
		t.Error("the ledger does not know of the escalation")
	}
}

func TestAnEscalationThatAddsMakesEligibleFromItsTimeOnWherePolicyAllows(t *testing.T) {
	t.Parallel()
	moves := func(late string) []*move {
		return []*move{approve("revoke", 5*time.Minute, "ana"), approve("revoke", 19*time.Minute, "lee").refused(signoff.NotEligible),
			approve("revoke", 25*time.Minute, "lee").refused(late)}
	}
	src := signed(", escalate: [{ after: 20m, to: secops_lead, adds: true }]")
	d := newDrive(t).compile(src).act(moves("")...)
	d.house.policy.MayAdd = []string{"secops_lead"}
	if d.run().wants("contained"); len(d.house.reminded) == 0 || !strings.Contains(d.house.reminded[len(d.house.reminded)-1].Why, "from 03:32 UTC on members of secops_lead") {
		t.Errorf("woken were %+v", d.house.reminded)
	}
	newDrive(t).compile(src).act(moves(signoff.NotEligible)...).run().wants("stopped").wantsSteps("")
}

func TestLevelsAreWokenInOrderAndEachOnce(t *testing.T) {
	t.Parallel()
	src := signed(", escalate: [{ after: 20m, to: secops_lead }, { after: 500 USD, to: secops_lead }, { after: 40m, to: secops }, { after: 900 USD, to: secops_lead }]")
	for micro, want := range map[int64]string{
		0:             "20:secops_lead 40:secops",
		500_000_000:   "0:secops_lead 40:secops",
		1_000_000_000: "0:secops_lead 0:secops 0:secops_lead",
	} {
		d := newDrive(t).compile(src)
		d.house.micro = micro
		d.run().wants("stopped")
		var got []string
		for _, b := range d.house.batches {
			for _, e := range b.Events {
				if e.Kind == "signoff.escalated" {
					got = append(got, fmt.Sprintf("%.0f", e.At.Sub(start()).Minutes()))
				}
			}
		}
		for i, g := range pinged(d) {
			got[i] += ":" + g
		}
		if strings.Join(got, " ") != want {
			t.Errorf("with %d spent: %v, want %s", micro, got, want)
		}
	}
}

func TestNobodyIsPingedAboutWhatIsDecided(t *testing.T) {
	t.Parallel()
	d := newDrive(t).compile(signed(", escalate: [{ after: 20m, to: secops_lead }]") + "finally:\n  - { id: report, uses: incident.report }\n").
		act(both("revoke", 1)...)
	d.house.closing = func(wire.Close) wire.Closed { return wire.Closed{Again: d.env.Now().Sub(start()) < time.Hour} }
	d.run().wants("contained")
	if got := pinged(d); len(got) != 0 {
		t.Errorf("pinged were %v", got)
	}
}

func TestEscalationByMoney(t *testing.T) {
	t.Parallel()
	src := signed(", escalate: [{ after: 500 USD, to: secops_lead }]")
	d := newDrive(t).compile(src)
	d.house.micro = 499_999_999
	d.env.RegisterDelayedCallback(func() { d.house.spend(500_000_000) }, 29*time.Minute)
	d.run().wants("stopped")
	if got := pinged(d); len(got) != 1 {
		t.Errorf("pinged were %v", got)
	}
	at := time.Time{}
	for _, b := range d.house.batches {
		for _, e := range b.Events {
			if e.Kind == "signoff.escalated" {
				at = e.At
			}
		}
	}
	if after := at.Sub(start()); after < 29*time.Minute || after > 31*time.Minute {
		t.Errorf("it was escalated after %s", after)
	}
	d = newDrive(t).compile(src)
	d.house.micro = 499_999_999
	if d.run().wants("stopped"); len(pinged(d)) != 0 {
		t.Error("it was escalated below the amount")
	}
}

func TestWithoutAKeyMoneyNeverEscalates(t *testing.T) {
	t.Parallel()
	src := strings.Replace(playbook(`
  - id: hand_over
    uses: dependent.update
    with: { dependent: "${{ inputs.dependent }}", key: "${{ inputs.key }}" }
    signoff: { by: [{ group: secops, count: 2 }], within: 1h, escalate: [{ after: 1 USD, to: secops_lead }] }
`), "trigger: { if: alert.severity != \"low\" }\n", "needs_key: false\ninputs: { dependent: { type: dependent, required: true }, key: { type: key, required: true } }\n", 1)
	d := newDrive(t).compile(src)
	d.start.Inputs = map[string]any{"dependent": map[string]any{"id": "shop"}, "key": testKey()}
	d.house.micro = 1_000_000_000
	d.run().wants("stopped")
	if got := pinged(d); len(got) != 0 {
		t.Errorf("pinged were %v", got)
	}
}

func TestReminderComesEveryFifteenMinutes(t *testing.T) {
	t.Parallel()
	d := newDrive(t).compile(triage(probeStep)).run().wants("contained")
	if len(d.house.reminded) != 1 {
		t.Errorf("within thirty minutes people were reminded %d times", len(d.house.reminded))
	}
}

func TestModeObserveHoldsBackUndoableStepsWhateverPolicySays(t *testing.T) {
	t.Parallel()
	d := newDrive(t).compile(group())
	d.start.Run.Mode = incident.ModeObserve
	d.run().wants("stopped").wantsSteps("dead")
	if len(d.house.previews) != 1 || len(d.house.previews[0].Calls) != 4 {
		t.Errorf("shown were %v", d.house.previews)
	}
}
