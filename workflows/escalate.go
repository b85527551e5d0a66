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

// escalate pings further groups, one level at a time, after a time or an amount of money. It never makes anybody
// eligible: who may approve was frozen with the envelope.
func (r *run) escalate(ctx workflow.Context, req *request, so playbooks.Signoff) (stop func()) {
	cctx, cancel := workflow.WithCancel(ctx)
	asked := workflow.Now(ctx)
	for _, e := range so.Escalate {
		workflow.Go(cctx, func(ctx workflow.Context) {
			if e.AfterUSD > 0 {
				if !r.awaitBurn(ctx, e.AfterUSD) {
					return
				}
			} else if workflow.Sleep(ctx, e.After.Std()) != nil {
				return
			}
			if ctx.Err() != nil || req.state != signoff.StateOpen {
				return
			}
			r.event(ctx, "signoff.escalated", req.view.Envelope.Step, map[string]any{"to": e.To, "request": req.view.Request})
			r.background(ctx, wire.RemindSignoff, wire.Remind{
				Run: r.in.Run.ID, Request: req.view.Request, Group: e.To,
				Why: fmt.Sprintf("waits since %s", asked.UTC().Format("15:04 UTC")),
			})
		})
	}
	return cancel
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
