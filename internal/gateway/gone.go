package gateway

import (
	"context"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// CloseGone ends, in our own records, a run whose workflow somebody terminated or deleted in the workflow engine. Its requests
// are void and its incident closes, so that the next alert about the key starts a response again.
func (g *Gateway) CloseGone(ctx context.Context, run incident.Run, person, reason string) error {
	open, err := g.DB.Requests(ctx, run.ID, true)
	if err != nil {
		return err
	}
	for _, v := range open {
		g.void(ctx, Act{Request: v.Request})
	}
	questions, err := g.DB.Questions(ctx, run.ID, true)
	if err != nil {
		return err
	}
	for _, q := range questions {
		if _, err := g.DB.ExpireQuestion(ctx, q.ID, g.Now()); err != nil {
			return err
		}
	}
	if _, err := g.DB.MarkAlertsRead(ctx, run.Incident); err != nil {
		return err
	}
	if _, err := g.DB.CloseIncident(ctx, run.Incident, incident.OutcomeCancelled); err != nil {
		return err
	}
	return g.DB.Keep(ctx, run.ID, database.Kept{
		Entries: []database.Entry{{ID: "closed", Kind: "run.closed", Actor: person, At: g.Now(), Body: map[string]any{
			"outcome": incident.OutcomeCancelled, "why": "its workflow had ended outside Tourniquet: " + reason,
		}}},
		Change: func(r *incident.Run) { r.State, r.Outcome, r.FinishedAt = "done", incident.OutcomeCancelled, g.Now() },
	})
}
