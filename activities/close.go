package activities

import (
	"context"
	"fmt"

	"github.com/tourniquet-ir/tourniquet/integrations/chat"
	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
)

// closeRun ends a run and its incident, unless alerts arrived that nobody has read.
func (h *House) closeRun(ctx context.Context, c wire.Close) (wire.Closed, error) {
	if err := h.mineOrParked(ctx, c.Run); err != nil {
		return wire.Closed{}, err
	}
	closed, err := h.DB.CloseIncident(ctx, c.Incident, c.Outcome)
	if err != nil {
		return wire.Closed{}, err
	}
	if !closed {
		_, err := h.DB.MarkAlertsRead(ctx, c.Incident)
		return wire.Closed{Again: true}, err
	}
	err = h.DB.Keep(ctx, c.Run, database.Kept{
		Entries: []database.Entry{{ID: "closed", Kind: "run.closed", Actor: "system", At: h.Now(), Body: map[string]any{
			"outcome": c.Outcome, "why": c.Why, "in_force": c.InForce,
		}}},
		Change: func(r *incident.Run) { r.State, r.Outcome, r.FinishedAt = "done", c.Outcome, c.At },
	})
	if err != nil {
		return wire.Closed{}, err
	}
	if c.Outcome == incident.OutcomeContained {
		if err := h.DB.ShredRun(ctx, c.Run, h.Now()); err != nil { // the stolen key is proven dead
			return wire.Closed{}, err
		}
	}
	return wire.Closed{}, h.postReport(ctx, c)
}

// burn is the money spent on a key since a time, in millionths of a dollar.
func (h *House) burn(ctx context.Context, b wire.BurnAsk) (int64, error) {
	if err := h.mine(ctx, b.Run); err != nil {
		return 0, err
	}
	p, err := h.provider(b.Key)
	if err != nil {
		return 0, wrap(err)
	}
	u, err := p.Usage(keys.Quick(ctx), b.Key, b.Since, h.Now())
	return u.MicroUSD, wrap(err)
}

// preview tells what calls would do; it is all that mode observe does.
func (h *House) preview(ctx context.Context, p wire.PreviewAsk) error {
	if err := h.mine(ctx, p.Run); err != nil {
		return err
	}
	var lines []string
	for _, c := range p.Calls {
		a, err := h.action(c.Action)
		if err != nil {
			return wrap(err)
		}
		e, err := a.DryRun(ctx, h, In{wire.Call{Run: p.Run, Step: c.Step, Action: c.Action, With: c.With, Alert: p.Alert}})
		if err != nil {
			lines = append(lines, fmt.Sprintf("%s: could not be planned: %s", c.Action, err))
			continue
		}
		lines = append(lines, fmt.Sprintf("%s on %s: %s", c.Action, e.Target, e.After))
	}
	h.ledger(ctx, p.Run, "observe.would", p.Step, "observe/"+p.Step, map[string]any{"calls": lines})
	if h.Chat == nil {
		return nil
	}
	_, err := h.Chat.Tell(ctx, chat.Note{Title: "Mode observe: this would be done now (" + p.Step + ")", Lines: lines})
	return err
}
