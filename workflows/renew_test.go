package workflows_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
)

// restoredAfter tells the run, after a while, that our records came out of a backup at that moment.
func (d *drive) restoredAfter(after time.Duration) {
	d.env.RegisterDelayedCallback(func() { d.env.SignalWorkflow(wire.SignalRestored, d.env.Now()) }, after)
}

func TestWhatPeopleWereAskedBeforeARestoreIsAskedAnew(t *testing.T) {
	t.Parallel()
	d := newDrive(t).compile(signed("")).act(approve("revoke", time.Minute, "ana")).act(both("revoke", 2)...)
	d.restoredAfter(10 * time.Minute)
	d.run().wants("contained").wantsSteps("revoke dead")
	if len(d.house.freezes) != 2 || !strings.Contains(d.house.freezes[1].Again, "out of a backup") {
		t.Errorf("people were asked %d times", len(d.house.freezes))
	}
	if first := d.house.settled[0]; first.State != signoff.StateVoided || first.Request != "so-revoke-1" {
		t.Errorf("the first request is %+v", first)
	}
}

func TestAnApprovalFromBeforeARestoreNeitherStaysNorOpensTheNextRequest(t *testing.T) {
	t.Parallel()
	d := newDrive(t).compile(signed("")).act(approve("revoke", time.Minute, "ana"), approve("revoke", 20*time.Minute, "bo").refused(signoff.ClosedCode), approve("revoke", time.Minute, "bo").again(2))
	d.restoredAfter(10 * time.Minute)
	d.run().wants("stopped").wantsSteps("")
}

func TestWhatIsAskedAfterARestoreStays(t *testing.T) {
	t.Parallel()
	d := newDrive(t).compile(signed("")).act(both("revoke", 1)...)
	d.env.RegisterDelayedCallback(func() { d.env.SignalWorkflow(wire.SignalRestored, start().Add(-time.Hour)) }, 90*time.Second)
	d.run().wants("contained").wantsSteps("revoke dead")
	if len(d.house.freezes) != 1 {
		t.Errorf("people were asked %d times", len(d.house.freezes))
	}
}
