package workflows

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

// burnEvery is how often the money is looked at while an escalation waits for an amount.
const burnEvery = 2 * time.Minute

// ladder wakes one group after the other, each once.
type ladder struct {
	run    *run
	req    *request
	asked  time.Time
	levels []string
	woken  int
}

// escalate wakes further groups, one level at a time, after a time or an amount of money. Entries in a row for the same group
// are one level: whichever comes first. It makes nobody eligible that the envelope does not name: who may decide, and from
// when on, was frozen when people were asked.
func (r *run) escalate(ctx workflow.Context, req *request, so playbooks.Signoff) (stop func()) {
	cctx, cancel := workflow.WithCancel(ctx)
	l := &ladder{run: r, req: req, asked: workflow.Now(ctx)}
	for _, e := range so.Escalate {
		if n := len(l.levels); n == 0 || l.levels[n-1] != e.To {
			l.levels = append(l.levels, e.To)
		}
		level := len(l.levels)
		workflow.Go(cctx, func(ctx workflow.Context) {
			if e.AfterUSD > 0 {
				if !r.awaitBurn(ctx, e.AfterUSD) {
					return
				}
			} else if workflow.Sleep(ctx, e.After.Std()) != nil {
				return
			}
			l.wake(ctx, level)
		})
	}
	return cancel
}

// wake climbs to a level. Levels below it that were not reached yet come first: nobody is left out because money was faster.
func (l *ladder) wake(ctx workflow.Context, level int) {
	for ; l.woken < level && ctx.Err() == nil && l.req.state == signoff.StateOpen; l.woken++ {
		group, view := l.levels[l.woken], l.req.view
		why := fmt.Sprintf("waits since %s", l.asked.UTC().Format("15:04 UTC"))
		if from, adds := view.Envelope.Rule.Adds(group); adds {
			why += fmt.Sprintf("; from %s on members of %s may decide it, too", from.UTC().Format("15:04 UTC"), group)
		}
		l.run.event(ctx, "signoff.escalated", view.Envelope.Step, map[string]any{"to": group, "request": view.Request})
		l.run.background(ctx, wire.RemindSignoff, wire.Remind{Run: l.run.in.Run.ID, Request: view.Request, Group: group, Why: why})
	}
}

// awaitBurn waits until the key has cost this much since the alert; false: that was never seen.
func (r *run) awaitBurn(ctx workflow.Context, usd int64) bool {
	for r.key != nil && ctx.Err() == nil {
		var micro int64
		ask := wire.BurnAsk{Run: r.in.Run.ID, Key: *r.key, Since: r.in.Alert.ObservedAt}
		err := workflow.ExecuteActivity(r.patient(ctx), wire.Burn, ask).Get(ctx, &micro)
		if err == nil && micro >= usd*1_000_000 {
			return true
		}
		if workflow.Sleep(ctx, burnEvery) != nil {
			return false
		}
	}
	return false
}
