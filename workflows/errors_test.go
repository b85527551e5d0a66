package workflows_test

import (
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/wire"
)

func at(d *drive, step string) []time.Duration {
	var out []time.Duration
	for _, c := range d.house.tries(step) {
		out = append(out, c.when.Sub(start()))
	}
	return out
}

func wantTimes(t *testing.T, got []time.Duration, want ...time.Duration) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("it was tried at %v, wanted %v", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("it was tried at %v, wanted %v", got, want)
		}
	}
}

const remote = "usage.snapshot, with: { key: \"${{ key }}\", since: \"${{ alert.observed_at }}\" }"

func TestRetryHonoursAttemptsFirstFactorAndMax(t *testing.T) {
	t.Parallel()
	d := newDrive(t).compile(playbook("  - { id: a, uses: " + remote + ", retry: { attempts: 5, first: 10s, factor: 3, max: 1m }, on_error: stop }\n"))
	d.house.fakes["usage.snapshot"] = func(wire.Call) (wire.Result, error) { return wire.Result{}, broken("down") }
	d.run().wants("failed")
	wantTimes(t, at(d, "a"), 0, 10*time.Second, 40*time.Second, 100*time.Second, 160*time.Second)
}

func TestRetryCountsALocalAttemptToo(t *testing.T) {
	t.Parallel()
	for attempts, want := range map[string]int{"1": 1, "3": 3} {
		d := newDrive(t).compile(playbook("  - { id: a, uses: incident.update, with: { text: x }, retry: { attempts: " + attempts + ", first: 10s }, on_error: stop }\n"))
		d.house.fakes["incident.update"] = func(wire.Call) (wire.Result, error) { return wire.Result{}, broken("down") }
		d.run().wants("failed")
		if got := at(d, "a"); len(got) != want {
			t.Errorf("with %s attempts it was tried at %v", attempts, got)
		}
	}
}

func TestWhatARetryCannotMendIsNotRetried(t *testing.T) {
	t.Parallel()
	d := newDrive(t).compile(playbook("  - { id: a, uses: " + remote + ", retry: { attempts: 5 }, on_error: stop }\n"))
	d.house.fakes["usage.snapshot"] = failing("never")
	d.run().wants("failed")
	wantTimes(t, at(d, "a"), 0)
}

func TestTimeoutIsPerAttempt(t *testing.T) {
	t.Parallel()
	d := newDrive(t).compile(playbook("  - { id: revoke, uses: key.revoke, with: { key: \"${{ key }}\" }, timeout: 7s, signoff: { by: [{ group: secops, count: 2 }] } }\n" +
		"  - { id: dead, uses: key.probe, with: { key: \"${{ key }}\" }, timeout: 11s, until: result.state == \"refused\", every: 1m, within: 1h }\n")).act(both("revoke", 1)...)
	n := 0
	d.house.fakes["key.probe"] = func(wire.Call) (wire.Result, error) {
		n++
		return result("state", map[bool]string{true: "refused", false: "working"}[n == 3], "summary", ""), nil
	}
	d.run().wants("contained")
	for step, limit := range map[string]time.Duration{"revoke": 7 * time.Second, "dead": 11 * time.Second} {
		for _, try := range d.house.tries(step) {
			if try.limit != limit {
				t.Errorf("an attempt of %q may take %s", step, try.limit)
			}
		}
	}
}

func TestUntilPollsAtItsPaceUntilItHolds(t *testing.T) {
	t.Parallel()
	d := newDrive(t).compile(playbook("  - { id: dead, uses: key.probe, with: { key: \"${{ key }}\" }, until: result.state == \"refused\", every: 30s, within: 1h }\n"))
	n := 0
	d.house.fakes["key.probe"] = func(wire.Call) (wire.Result, error) {
		if n++; n < 4 {
			return result("state", "working", "summary", ""), nil
		}
		return result("state", "refused", "summary", ""), nil
	}
	d.run().wants("contained")
	wantTimes(t, at(d, "dead"), 0, 30*time.Second, time.Minute, 90*time.Second)
}

func TestWithinBoundsEverything(t *testing.T) {
	t.Parallel()
	d := newDrive(t).compile(playbook("  - { id: dead, uses: key.probe, with: { key: \"${{ key }}\" }, until: result.state == \"refused\", every: 30s, within: 2m, on_error: stop }\n"))
	d.house.fakes["key.probe"] = func(wire.Call) (wire.Result, error) { return result("state", "working", "summary", ""), nil }
	d.run().wants("failed")
	if got := at(d, "dead"); len(got) < 4 || len(got) > 5 || got[len(got)-1] > 2*time.Minute {
		t.Errorf("it was tried at %v", got)
	}
	d = newDrive(t).compile(playbook("  - { id: a, uses: " + remote + ", retry: { attempts: 50, first: 30s, factor: 1 }, within: 2m, on_error: stop }\n"))
	d.house.fakes["usage.snapshot"] = func(wire.Call) (wire.Result, error) { return wire.Result{}, broken("down") }
	d.run().wants("failed")
	if got := at(d, "a"); len(got) < 4 || len(got) > 5 {
		t.Errorf("it was tried at %v", got)
	}
}

func TestWithinBoundsALostAnswerToo(t *testing.T) {
	t.Parallel()
	d := newDrive(t).compile(playbook("  - { id: revoke, uses: key.revoke, with: { key: \"${{ key }}\" }, within: 5s, on_error: stop, signoff: { by: [{ group: secops, count: 2 }] } }\n")).
		act(approve("revoke", time.Minute, "ana"), approve("revoke", 2*time.Minute, "bo"))
	d.house.fakes["key.revoke"] = func(wire.Call) (wire.Result, error) { return wire.Result{}, broken("answer lost") }
	d.run().wants("failed")
	if got := at(d, "revoke"); len(got) == 0 || got[len(got)-1]-got[0] > 5*time.Second {
		t.Errorf("it was tried at %v", got)
	}
}

func TestOnErrorContinueGoesOnAndTheStepIsFailed(t *testing.T) {
	t.Parallel()
	d := newDrive(t).compile(playbook("  - { id: a, uses: " + remote + ", on_error: continue }\n  - { id: tell, uses: incident.update, with: { text: \"${{ steps.a.status }} ${{ steps.a.outputs?.cost_usd ?? 0 }}\" } }\n" + probeStep))
	d.house.fakes["usage.snapshot"] = failing("no")
	d.run().wants("contained").wantsSteps("tell dead")
	if got := d.house.tries("tell")[0].With["text"]; got != "failed 0" {
		t.Errorf("a later step reads %q", got)
	}
}

func TestOnErrorStopEndsTheRunAsFailed(t *testing.T) {
	t.Parallel()
	d := newDrive(t).compile(playbook("  - { id: a, uses: " + remote + ", on_error: stop }\n" + probeStep))
	d.house.fakes["usage.snapshot"] = failing("no")
	d.run().wants("failed").wantsSteps("")
	if len(d.house.questions) != 0 {
		t.Error("somebody was asked")
	}
}

func TestOnErrorAskRetrySkipAndStop(t *testing.T) {
	t.Parallel()
	for choice, want := range map[string][2]string{
		"Retry": {"contained", "a dead"}, "Skip": {"contained", "dead"}, "Stop": {"stopped", ""},
	} {
		d := newDrive(t).compile(playbook("  - { id: a, uses: incident.update, with: { text: x } }\n" + probeStep)).act(answer("a", 40*time.Minute, "ana", choice))
		d.house.fakes["incident.update"] = once(refused(wire.ErrPermanent, "no"))
		d.run().wants(want[0]).wantsSteps(want[1])
		if len(d.house.reminded) != 2 {
			t.Errorf("%s: people were reminded %d times in 40 minutes", choice, len(d.house.reminded))
		}
	}
}

func TestParkingHasNoTimeLimit(t *testing.T) {
	t.Parallel()
	d := newDrive(t).compile(playbook("  - { id: a, uses: incident.update, with: { text: x } }\n" + probeStep)).act(answer("a", 100*time.Hour, "bo", "Retry"))
	d.house.fakes["incident.update"] = once(refused(wire.ErrPermanent, "no"))
	d.run().wants("contained")
}

func TestSkipIsOfferedOnlyWhereReadersGuard(t *testing.T) {
	t.Parallel()
	read := "  - { id: a, uses: key.contain, with: { key: \"${{ key }}\" } }\n  - { id: b, uses: incident.update, with: { text: \"${{ steps.a.outputs.summary }}\" } }\n"
	d := newDrive(t).compile(playbook(read)).act(answer("a", time.Minute, "ana", "Skip").refused("not_eligible"), answer("a", 2*time.Minute, "ana", "Stop"))
	d.house.fakes["key.contain"] = failing("no")
	d.run().wants("stopped").wantsSteps("")
	if got := d.house.questions[0].Choices; len(got) != 2 || got[0] != "Retry" || got[1] != "Stop" {
		t.Errorf("the choices are %v", got)
	}
}
