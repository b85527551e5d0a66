package workflows

import (
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
)

// installDoors is how the outside reaches a run: two updates that carry signed decisions, a wake-up for later alerts, and a word that
// takes requests back. Whatever else arrives is not listened to.
func (r *run) installDoors(ctx workflow.Context) {
	// Registering cannot fail for these signatures; Temporal reports it by panicking the workflow task.
	must(workflow.SetUpdateHandlerWithOptions(ctx, wire.UpdateDecide, r.decide, workflow.UpdateHandlerOptions{
		Validator: func(ctx workflow.Context, d wire.Decide) error { return refusal(r.refuseDecision(ctx, d)) },
	}))
	must(workflow.SetUpdateHandlerWithOptions(ctx, wire.UpdateAnswer, r.answer, workflow.UpdateHandlerOptions{
		Validator: func(_ workflow.Context, a wire.Answer) error { return refusal(r.refuseAnswer(a)) },
	}))
	ch := workflow.GetSignalChannel(ctx, wire.SignalAlerts)
	workflow.Go(ctx, func(ctx workflow.Context) {
		for {
			var later []map[string]any
			if more := ch.Receive(ctx, &later); !more {
				return
			}
			for more := true; more; { // a storm costs one look, not one for each alert
				var next []map[string]any
				if more = ch.ReceiveAsync(&next); more {
					later = append(later, next...)
				}
			}
			r.hear(ctx, later)
		}
	})
	restored := workflow.GetSignalChannel(ctx, wire.SignalRestored)
	workflow.Go(ctx, func(ctx workflow.Context) {
		for {
			var at time.Time
			if more := restored.Receive(ctx, &at); !more {
				return
			}
			r.renew(at)
		}
	})
}

// decide counts a decision. The validator has looked already; an update may have changed the request since.
func (r *run) decide(ctx workflow.Context, d wire.Decide) (wire.Reply, error) {
	if ref := r.refuseDecision(ctx, d); ref != nil {
		return wire.Reply{Code: ref.Code, Why: ref.Why}, nil
	}
	req := r.requests[d.Request]
	return req.count(workflow.Now(ctx), d.Decision), nil
}

// answer takes the first answer to a question.
func (r *run) answer(_ workflow.Context, a wire.Answer) (wire.Reply, error) {
	if ref := r.refuseAnswer(a); ref != nil {
		return wire.Reply{Code: ref.Code, Why: ref.Why}, nil
	}
	q := r.questions[a.Question]
	q.Answer, q.By, q.closed = a.Decision.Reason, a.Decision.Person, true
	return wire.Reply{Accepted: true, State: "answered"}, nil
}

func (r *run) refuseDecision(ctx workflow.Context, d wire.Decide) *signoff.Refusal {
	req, ok := r.requests[d.Request]
	if !ok {
		return &signoff.Refusal{Code: signoff.ClosedCode, Why: "this run has no such request"}
	}
	return signoff.Accept(req.view.Request, req.view.Envelope, req.view.Digest, req.state, req.decisions, d.Decision, workflow.Now(ctx))
}

func refusal(ref *signoff.Refusal) error {
	if ref == nil {
		return nil
	}
	return temporal.NewNonRetryableApplicationError(ref.Why, ref.Code, nil)
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
