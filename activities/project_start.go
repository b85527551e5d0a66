package activities

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

func projectStart() Action {
	return Action{
		Card: playbooks.Card{
			Name: "project.start", Effect: signoff.EffectFinal, Repeat: true, Timeout: "90s", Attempts: 1, TargetInput: "step",
			Summary: "Switch a stopped project's API on again; whoever spent may spend again, so it counts as final",
			Inputs:  []playbooks.Field{{Name: "step", Type: playbooks.TypeString, Required: true, Doc: "path of the step that stopped the project"}},
			Outputs: []playbooks.Field{{Name: "summary", Type: playbooks.TypeString, Required: true, Doc: "what was switched on"}},
			Example: map[string]any{"summary": "The Gemini API is on in project acme-prod"},
		},
		DryRun: dryStart,
		Run: func(ctx context.Context, h *House, in In) (Output, error) {
			row, was, p, err := h.stoppedBy(ctx, in)
			if err != nil {
				return Output{}, err
			}
			got, err := p.StartProject(ctx, was.Was)
			if err != nil {
				return Output{}, err
			}
			return Output{Summary: got.Summary, Request: got.RequestID, Values: map[string]any{"summary": got.Summary}}, h.DB.MarkUndone(ctx, in.Run, row.Step)
		},
	}
}

// stoppedBy is the undo record of the step that is named.
func (h *House) stoppedBy(ctx context.Context, in In) (row database.UndoRow, was stopped, p keys.ProjectStopper, err error) {
	rows, err := h.DB.Undos(ctx, in.Run)
	if err != nil {
		return row, was, nil, err
	}
	i := slices.IndexFunc(rows, func(r database.UndoRow) bool { return r.Action == "project.start" && r.Step == in.Text("step") })
	if i < 0 {
		return row, was, nil, keys.Permanent(fmt.Errorf("this run has no record of a project that step %q stopped", in.Text("step")))
	}
	row = rows[i]
	if err := json.Unmarshal(row.Undo, &was); err != nil {
		return row, was, nil, keys.Permanent(fmt.Errorf("the undo record of %s cannot be read", row.Step))
	}
	_, p, err = h.project(was.Provider, was.Account)
	return row, was, p, err
}

func dryStart(ctx context.Context, h *House, in In) (Entry, error) {
	row, _, p, err := h.stoppedBy(ctx, in)
	if err != nil {
		return Entry{}, err
	}
	st, err := p.ProjectState(ctx)
	if err != nil {
		return Entry{}, err
	}
	e := Entry{Target: row.Target, State: st.Fields, Reach: p.CanStop().Reach, Before: fieldsInWords(st.Fields)}
	return undoing(e, row)
}
