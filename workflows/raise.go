package workflows

import (
	"slices"

	"go.temporal.io/sdk/workflow"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

// maxHeard bounds how many later alerts expressions see; our records keep them all.
const maxHeard = 100

// severities in the order in which a later alert can raise them.
func severities() []string { return []string{"", "low", "medium", "high", "critical"} }

// hear takes in later alerts. They can raise severity and trust. What policy made people decide only because of the trust is
// then asked of policy again; a higher severity goes to the people who are asked, because policy never opens on it.
func (r *run) hear(ctx workflow.Context, later []map[string]any) {
	severity, trust := r.severity, r.trust
	for _, a := range later {
		if len(r.alerts) < maxHeard {
			r.alerts = append(r.alerts, joined(a))
		}
		if a["kind"] == incident.KindResolved {
			continue
		}
		if s, _ := a["severity"].(string); slices.Index(severities(), s) > slices.Index(severities(), severity) {
			severity = s
		}
		if a["trust"] == incident.TrustAct {
			trust = incident.TrustAct
		}
	}
	r.event(ctx, "alerts.joined", "", map[string]any{"count": len(later)})
	if severity != r.severity {
		r.event(ctx, "run.raised", "", map[string]any{"what": "severity", "from": r.severity, "to": severity})
		r.severity = severity
		for _, req := range r.asks {
			if req.state == signoff.StateOpen {
				r.background(ctx, wire.RemindSignoff, wire.Remind{Run: r.in.Run.ID, Request: req.view.Request, Why: "a later alert raised the severity to " + severity})
			}
		}
	}
	if trust != r.trust {
		r.event(ctx, "run.raised", "", map[string]any{"what": "trust", "from": r.trust, "to": trust})
		r.trust = trust
		for _, req := range r.asks {
			if req.byPolicy && req.state == signoff.StateOpen {
				req.state, req.why, req.raised = signoff.StateVoided, "a source that may act reported this key too, so policy is asked again", true
			}
		}
	}
}

// retriedAlone tries a call without people once more, after the trust was raised. It is false when people are asked as before.
func (r *run) retriedAlone(ctx workflow.Context, s *scope, st *playbooks.Step, attempt int, h **halt) bool {
	started := workflow.Now(ctx)
	with, err := bind(st.Action.With, s.env(r), started)
	if err != nil {
		*h = r.unevaluable(ctx, s, st, err)
		return true
	}
	res, err := r.invoke(ctx, st.Action, r.call(ctx, s, st, with, attempt))
	if err == nil {
		*h = r.done(ctx, s, st, with, res, started)
		return true
	}
	if ctx.Err() != nil {
		*h = r.fail(ctx, s, st, statusStopped, &halt{incident.OutcomeCancelled, "cancelled"})
		return true
	}
	return false
}
