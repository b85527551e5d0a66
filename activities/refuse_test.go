package activities

import (
	"testing"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
)

func TestAFinalActionWithoutAGrantCallsNothing(t *testing.T) {
	t.Parallel()
	b := build(t)
	_, err := b.do(t, b.call("key.revoke", "key", nil))
	refused(t, err, wire.ErrRefused)
	b.untouched(t)
}

func TestModeObserveCallsNothing(t *testing.T) {
	t.Parallel()
	b := build(t)
	b.run(t, "run-2", incident.ModeObserve)
	c := b.call("key.revoke", "key", nil)
	g := b.grant(t, c, "ann", "bob")
	c.Run, c.Grant = "run-2", &g
	_, err := b.do(t, c)
	refused(t, err, wire.ErrObserve)
	c = b.call("key.contain", "key", nil)
	c.Run = "run-2"
	_, err = b.do(t, c)
	refused(t, err, wire.ErrObserve)
	b.untouched(t)
}
