package workflows_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
)

// signed is one final step under two of secops, and the probe behind it.
func signed(more string) string {
	return playbook(`
  - id: revoke
    uses: key.revoke
    with: { key: "${{ key }}" }
    signoff: { by: [{ group: secops, count: 2 }], within: 1h` + more + ` }
` + probeStep)
}

func TestAllSeatsMustFillAndOnePersonFillsOneSeat(t *testing.T) {
	t.Parallel()
	d := newDrive(t).compile(signed("")).act(
		approve("revoke", 1*time.Minute, "ana"),
		approve("revoke", 2*time.Minute, "ana").refused(signoff.AlreadyCounted),
		approve("revoke", 3*time.Minute, "lee").refused(signoff.NotEligible),
		approve("revoke", 4*time.Minute, "kim").refused(signoff.ExcludedCode),
		approve("revoke", 5*time.Minute, "bo"),
	).run().wants("contained").wantsSteps("revoke dead")
	if when := d.house.tries("revoke")[0].when.Sub(start()); when != 5*time.Minute {
		t.Errorf("the call came after %s", when)
	}
}

func TestSeatsAreFilledByMatching(t *testing.T) {
	t.Parallel()
	src := strings.Replace(signed(""), "by: [{ group: secops, count: 2 }]", "by: [{ group: secops, count: 2 }, { seat: key_owner, count: 1, else: secops_lead }]", 1)
	newDrive(t).compile(src).act(
		approve("revoke", 1*time.Minute, "ana"), approve("revoke", 2*time.Minute, "bo"), approve("revoke", 3*time.Minute, "lee"),
	).run().wants("contained")
}

func TestExpiryNeverApproves(t *testing.T) {
	t.Parallel()
	d := newDrive(t).compile(signed("")).act(
		approve("revoke", 1*time.Minute, "ana"),
		approve("revoke", time.Hour-time.Second, "kim").refused(signoff.ExcludedCode),
	).run().wants("stopped").wantsSteps("")
	if len(d.house.tries("revoke")) != 0 {
		t.Error("a call was made")
	}
	if got := d.house.settled[0]; got.State != signoff.StateExpired || len(d.house.reminded) != 3 {
		t.Errorf("the request is %s after %d reminders", got.State, len(d.house.reminded))
	}
}

func TestAnApprovalAtTheLastMomentComesTooLate(t *testing.T) {
	t.Parallel()
	src := "finally:\n  - { id: report, uses: incident.report }\n"
	d := newDrive(t).compile(signed("")+src).act(
		approve("revoke", 1*time.Minute, "ana"), approve("revoke", 90*time.Minute, "bo").refused(signoff.ClosedCode))
	d.house.fakes["incident.report"] = once(broken("slow"))
	d.house.closing = func(wire.Close) wire.Closed { return wire.Closed{Again: d.env.Now().Sub(start()) < 2*time.Hour} }
	d.run().wants("stopped").wantsSteps("report")
}

func TestOtherwiseSkipGivesDeclinedAndGoesOn(t *testing.T) {
	t.Parallel()
	d := newDrive(t).compile(signed(", otherwise: skip")).run().wantsSteps("dead")
	d.wants("stopped") // a final step was left undone, whatever the probe says
	if got := d.house.status("revoke"); got != "declined" {
		t.Errorf("the step is %q", got)
	}
}

func TestADeclinedUndoableStepKeepsNobodyFromContaining(t *testing.T) {
	t.Parallel()
	newDrive(t).compile(playbook(`
  - { id: contain, uses: key.contain, with: { key: "${{ key }}" }, signoff: { by: [{ group: secops, count: 1 }], within: 1h, otherwise: skip } }
` + probeStep)).run().wants("contained").wantsSteps("dead")
}

func TestRejectionEndsTheRequestAtOnce(t *testing.T) {
	t.Parallel()
	d := newDrive(t).compile(signed("")+"finally:\n  - { id: report, uses: incident.report }\n").act(
		approve("revoke", 1*time.Minute, "ana"),
		reject("revoke", 2*time.Minute, "bo"),
	).run().wants("stopped").wantsSteps("report")
	if when := d.house.tries("report")[0].when.Sub(start()); when != 2*time.Minute {
		t.Errorf("the run ended after %s", when)
	}
	if got := d.house.settled[0]; got.State != signoff.StateRejected || len(got.Decisions) != 2 {
		t.Errorf("the request is %s with %d decisions", got.State, len(got.Decisions))
	}
}

func TestWhoApprovedMayStillReject(t *testing.T) {
	t.Parallel()
	newDrive(t).compile(signed("")).act(
		approve("revoke", 1*time.Minute, "ana"), reject("revoke", 2*time.Minute, "ana"),
	).run().wants("stopped").wantsSteps("")
}

func TestARejectionNeedsAReason(t *testing.T) {
	t.Parallel()
	silent := reject("revoke", time.Minute, "ana").refused(signoff.NoReason)
	silent.change = func(d *signoff.Decision) { d.Reason = "  " }
	newDrive(t).compile(signed("")).act(silent).run().wants("stopped")
}

func TestStaleDigestForgedSignatureAndStrangerAreRefused(t *testing.T) {
	t.Parallel()
	with := func(m *move, change, forge func(*signoff.Decision)) *move {
		m.change, m.forge = change, forge
		return m
	}
	d := newDrive(t).compile(signed("")).act(
		approve("revoke", 1*time.Minute, "ana"),
		with(approve("revoke", 2*time.Minute, "bo").refused(signoff.StaleDigest), func(d *signoff.Decision) { d.Digest = "sha256:" + strings.Repeat("0", 64) }, nil),
		with(approve("revoke", 3*time.Minute, "mallory").refused(signoff.BadSignature), nil, func(d *signoff.Decision) { d.Person = "bo" }),
		with(approve("revoke", 4*time.Minute, "lee").refused(signoff.BadSignature), nil, func(d *signoff.Decision) { d.Groups = []string{"secops"} }),
		with(approve("revoke", 5*time.Minute, "bo").refused(signoff.BadSignature), nil, func(d *signoff.Decision) { d.KeyID = "k9" }),
		with(approve("revoke", 6*time.Minute, "bo").refused(signoff.WrongRequest), func(d *signoff.Decision) { d.Request = "so-other-1" }, nil),
		with(approve("revoke", 7*time.Minute, "bo").refused(signoff.TooEarly), func(d *signoff.Decision) { d.At = d.At.Add(-time.Hour); d.SeenAt = d.At }, nil),
		approve("revoke", 8*time.Minute, "mallory").refused(signoff.NotEligible),
	).run().wants("stopped").wantsSteps("")
	if len(d.house.tries("revoke")) != 0 {
		t.Error("a call was made")
	}
}

func TestAnEnvelopeThatDoesNotMatchItsDigestIsNeverAsked(t *testing.T) {
	t.Parallel()
	for name, tamper := range map[string]func(*signoff.View){
		"another call":  func(v *signoff.View) { v.Envelope.Calls[0].Target = "another key" },
		"an empty rule": func(v *signoff.View) { v.Envelope.Rule.Seats = nil; v.Digest, _ = signoff.Digest(v.Envelope) },
	} {
		d := newDrive(t).compile(signed("")).act(approve("revoke", time.Minute, "ana"))
		d.moves = nil
		d.house.tamper = tamper
		d.run().wants("stopped").wantsSteps("")
		if len(d.house.asked) != 0 {
			t.Errorf("%s: people were asked", name)
		}
	}
}

func TestAnUndoableStepThatPolicyDoesNotAutomateGetsTheDefaultSignoff(t *testing.T) {
	t.Parallel()
	d := newDrive(t).compile(playbook("  - { id: contain, uses: key.contain, with: { key: \"${{ key }}\" } }\n" + probeStep)).act(approve("contain", time.Minute, "ana"))
	d.house.auto = false
	d.run().wants("contained").wantsSteps("contain dead")
	if d.house.tries("contain")[1].Grant == nil {
		t.Error("the call came through without a grant")
	}
	if seats := d.house.views[0].Envelope.Rule.Seats; len(seats) != 1 || seats[0].Group != "secops" || seats[0].Count != 1 {
		t.Errorf("the default sign-off asks %v", seats)
	}
}

// group is a signed group: a new key, one dependent after the other, then the old key's end.
func group() string {
	return playbook(`
  - id: replace
    signoff: { by: [{ group: secops, count: 2 }], within: 1h }
    steps:
      - { id: fresh, uses: key.create, with: { like: "${{ key }}" } }
      - id: rotate
        for_each: ${{ key.dependents }}
        as: dependent
        steps:
          - { id: hand_over, uses: dependent.update, with: { dependent: "${{ dependent }}", key: "${{ steps.fresh.outputs.key }}" } }
` + probeStep)
}

func both(step string, nth int) []*move {
	return []*move{approve(step, 1*time.Minute, "ana").again(nth), approve(step, 2*time.Minute, "bo").again(nth)}
}

func TestLaterValuesAreBoundAsReferences(t *testing.T) {
	t.Parallel()
	d := newDrive(t).compile(group()).act(both("replace", 1)...).run().wants("contained").
		wantsSteps("replace/fresh replace/rotate[0]/hand_over replace/rotate[1]/hand_over replace/rotate[2]/hand_over dead")
	calls := d.house.views[0].Envelope.Calls
	if len(calls) != 4 {
		t.Fatalf("%d calls were signed", len(calls))
	}
	later, _ := calls[1].Inputs["key"].(map[string]any)[signoff.LaterKey].(map[string]any)
	if later["step"] != "replace/fresh" || later["output"] != "key" {
		t.Errorf("the new key is bound as %v", calls[1].Inputs["key"])
	}
	if sent := d.house.tries("replace/rotate[0]/hand_over")[0].With["key"].(map[string]any); sent["id"] != "k2" {
		t.Errorf("what was sent is %v", sent)
	}
}

func TestDriftVoidsAndAsksAnewAndDoesNotRepeatWhatIsDone(t *testing.T) {
	t.Parallel()
	d := newDrive(t).compile(group()).act(both("replace", 1)...).act(both("replace", 2)...)
	d.house.fakes["step:replace/rotate[1]/hand_over"] = once(refused(wire.ErrDrifted, "somebody changed it"))
	d.run().wants("contained").
		wantsSteps("replace/fresh replace/rotate[0]/hand_over replace/rotate[1]/hand_over replace/rotate[2]/hand_over dead")
	if calls := d.house.views[1].Envelope.Calls; len(calls) != 2 || calls[0].Step != "replace/rotate[1]/hand_over" {
		t.Errorf("what is asked anew is %v", calls)
	}
	executing := slices.ContainsFunc(d.house.settled, func(x wire.Settle) bool { return x.State == signoff.StateExecuting })
	if voided := d.house.events("signoff.voided"); !executing || voided != 1 { // messages are sent side by side: their order is open
		t.Errorf("the first request was executing %v and voided %d times", executing, voided)
	}
}

func TestWhatDriftsForEverStops(t *testing.T) {
	t.Parallel()
	d := newDrive(t).compile(signed(""))
	for n := 1; n <= 5; n++ {
		d.act(both("revoke", n)...)
	}
	d.house.fakes["key.revoke"] = func(wire.Call) (wire.Result, error) {
		return wire.Result{}, refused(wire.ErrDrifted, "changed again")
	}
	d.run().wants("stopped").wantsSteps("")
	if len(d.house.freezes) != 5 {
		t.Errorf("people were asked %d times", len(d.house.freezes))
	}
}

func TestAVoidedGrantDoesNotOpenTheNextRequest(t *testing.T) {
	t.Parallel()
	d := newDrive(t).compile(signed("")).act(both("revoke", 1)...)
	d.house.fakes["key.revoke"] = once(refused(wire.ErrDrifted, "changed"))
	d.run().wants("stopped").wantsSteps("")
}

func TestALostAnswerOfAFinalCallLooksAgainUnderTheSameRow(t *testing.T) {
	t.Parallel()
	d := newDrive(t).compile(signed("")).act(both("revoke", 1)...)
	d.house.fakes["key.revoke"] = once(broken("the worker died"))
	d.run().wants("contained").wantsSteps("revoke dead")
	tries := d.house.tries("revoke")
	if len(tries) != 2 || tries[0].Grant.Envelope.Nonce != tries[1].Grant.Envelope.Nonce || tries[0].Attempt != tries[1].Attempt {
		t.Errorf("the call was looked at %d times, not under one grant", len(tries))
	}
	if len(d.house.freezes) != 1 || d.house.events("call.outcome_unknown") != 1 {
		t.Error("people were asked anew, or nothing was written down")
	}
}

func TestAnUnknownOutcomeParksAndRetryAsksAnew(t *testing.T) {
	t.Parallel()
	d := newDrive(t).compile(signed("")).act(both("revoke", 1)...).act(both("revoke", 2)...).act(answer("revoke", time.Minute, "bo", "Retry"))
	d.house.fakes["key.revoke"] = once(refused(wire.ErrUnknown, "sent before, answer lost"))
	d.run().wants("contained").wantsSteps("revoke dead")
	if len(d.house.freezes) != 2 {
		t.Errorf("people were asked %d times", len(d.house.freezes))
	}
}

func TestAProgramThatLostItsSignoffCallsNothingFinal(t *testing.T) {
	t.Parallel()
	d := newDrive(t).compile(signed(""))
	d.start.Program.Steps[0].Signoff = nil // lint never lets this through; whoever starts a run by hand could
	d.run().wants("failed").wantsSteps("")
	if len(d.house.tries("revoke")) != 0 {
		t.Error("the call was tried")
	}
}

func TestAStepThatOnlyLooksIsRetriedUnderTheSameGrant(t *testing.T) {
	t.Parallel()
	d := newDrive(t).compile(playbook(`
  - id: both
    signoff: { by: [{ group: secops, count: 2 }], within: 1h }
    steps:
      - { id: revoke, uses: key.revoke, with: { key: "${{ key }}" } }
      - { id: look, uses: incident.update, with: { text: x } }
` + probeStep)).act(both("both", 1)...).act(answer("both/look", time.Minute, "ana", "Retry"))
	d.house.fakes["incident.update"] = once(refused(wire.ErrPermanent, "no"))
	d.run().wants("contained").wantsSteps("both/revoke both/look dead")
	if len(d.house.freezes) != 1 {
		t.Errorf("people were asked %d times", len(d.house.freezes))
	}
}

func TestAConditionOnAStepOfTheSameRequestIsShownAndDecidedWhenItRuns(t *testing.T) {
	t.Parallel()
	d := newDrive(t).compile(playbook(`
  - id: both
    signoff: { by: [{ group: secops, count: 2 }], within: 1h }
    steps:
      - { id: contain, uses: key.contain, with: { key: "${{ key }}" }, on_error: continue }
      - { id: revoke, if: steps.contain.status == "done", uses: key.revoke, with: { key: "${{ key }}" } }
` + probeStep)).act(both("both", 1)...)
	d.run().wants("contained").wantsSteps("both/contain both/revoke dead")
	if calls := d.house.views[0].Envelope.Calls; len(calls) != 2 {
		t.Errorf("people were shown %d calls", len(calls))
	}
}

func TestAResetRunVoidsEverythingAndParksUntilAPersonHasSeenIt(t *testing.T) {
	t.Parallel()
	d := newDrive(t).compile(signed("")).act(answer("reset_guard", time.Hour, "ana", "Stop"))
	d.reset = true
	d.run().wants("stopped").wantsSteps("")
	if len(d.house.voids) != 1 || d.house.voids[0].Original != "the run before the reset" || len(d.house.tries("identify")) != 0 || len(d.house.freezes) != 0 {
		t.Errorf("a reset run did something, or did not void: %+v", d.house.voids)
	}
	if q := d.house.questions[0]; q.Kind != "park" || q.ID == "q-run-1-1" {
		t.Errorf("it parked with %+v, under the name of a question of the run that was reset", q)
	}
}

func TestWhoLeftAfterDecidingVoidsBeforeAnythingRuns(t *testing.T) {
	t.Parallel()
	d := newDrive(t).compile(signed("")).act(both("revoke", 1)...).act(both("revoke", 2)...)
	d.house.people = func(nth int) (string, error) {
		return map[int]string{1: "ana approved, but since then: is no longer a member"}[nth], nil
	}
	d.run().wants("contained").wantsSteps("revoke dead")
	if len(d.house.tries("revoke")) != 1 || d.house.settled[0].State != signoff.StateVoided || len(d.house.settled[0].Decisions) != 2 {
		t.Errorf("%d calls; the first request is %+v", len(d.house.tries("revoke")), d.house.settled[0])
	}
	if again := d.house.freezes[1].Again; !strings.Contains(again, "no longer a member") {
		t.Errorf("people are asked anew because %q", again)
	}
}

func TestWhileNobodyCanLookAtThePeopleItWaitsAndThenLapses(t *testing.T) {
	t.Parallel()
	away := errors.New("chat does not answer")
	t.Run("it comes back", func(t *testing.T) {
		t.Parallel()
		d := newDrive(t).compile(signed("")).act(both("revoke", 1)...)
		d.house.people = func(nth int) (string, error) {
			if nth < 5 {
				return "", away
			}
			return "", nil
		}
		d.run().wants("contained").wantsSteps("revoke dead")
		if len(d.house.freezes) != 1 || d.house.events("signoff.waits") != 4 {
			t.Errorf("asked %d times, waited %d times", len(d.house.freezes), d.house.events("signoff.waits"))
		}
	})
	t.Run("it stays away", func(t *testing.T) {
		t.Parallel()
		d := newDrive(t).compile(signed("")).act(both("revoke", 1)...)
		d.house.people = func(int) (string, error) { return "", away }
		d.run().wants("stopped").wantsSteps("")
		if d.house.settled[0].State != signoff.StateLapsed || len(d.house.tries("revoke")) != 0 {
			t.Errorf("the request is %s after %d calls", d.house.settled[0].State, len(d.house.tries("revoke")))
		}
	})
	t.Run("a rejection still counts", func(t *testing.T) {
		t.Parallel()
		d := newDrive(t).compile(signed("")).act(both("revoke", 1)...).act(reject("revoke", 3*time.Minute, "ana"))
		d.house.people = func(int) (string, error) { return "", away }
		d.run().wants("stopped").wantsSteps("")
		if d.house.settled[0].State != signoff.StateRejected || len(d.house.freezes) != 1 {
			t.Errorf("the request is %s, asked %d times", d.house.settled[0].State, len(d.house.freezes))
		}
	})
}

func TestAnApprovalThatTheActionFindsLapsedIsAskedAnew(t *testing.T) {
	t.Parallel()
	d := newDrive(t).compile(signed("")).act(both("revoke", 1)...).act(both("revoke", 2)...)
	d.house.fakes["key.revoke"] = once(refused(wire.ErrLapsed, "the approval had to be used within 10m"))
	d.run().wants("contained").wantsSteps("revoke dead")
	if states := []string{d.house.settled[0].State, d.house.settled[1].State}; states[0] != signoff.StateExecuting && states[1] != signoff.StateExecuting || d.house.events("signoff.lapsed") != 1 {
		t.Errorf("the first request went through %v", states)
	}
}
