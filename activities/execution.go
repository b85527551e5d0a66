package activities

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"go.temporal.io/sdk/activity"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
)

// Codes of calls that are refused before anybody looks at a grant.
const (
	codeExecution = "wrong_execution"
	codeActivity  = "wrong_activity"
)

// errForeign is what an execution hears that is not the one which we started for its run.
const errForeign = "this run's workflow was reset or started again outside Tourniquet; its sign-offs do not count"

// own lets only the execution in that we started for the run, through the activity of the action's own name.
func (h *House) own(ctx context.Context, call wire.Call) error {
	if activity.GetInfo(ctx).ActivityType.Name != call.Action {
		return h.refuseCall(ctx, call, codeActivity, "the call names another action than the activity it came through")
	}
	ours, err := h.started(ctx, call.Run)
	if err == nil && !ours {
		err = h.refuseCall(ctx, call, codeExecution, errForeign)
	}
	return err
}

// mine is own for the house's activities.
func (h *House) mine(ctx context.Context, run string) error {
	ours, err := h.started(ctx, run)
	if err == nil && !ours {
		info := activity.GetInfo(ctx)
		err = h.refuseCall(ctx, wire.Call{Run: run, Action: info.ActivityType.Name}, codeExecution, errForeign)
	}
	return err
}

// mineOrParked also lets in the execution that announced itself as a reset: it may ask and write down, and call nothing.
func (h *House) mineOrParked(ctx context.Context, run string) error {
	by, found, err := h.DB.Setting(ctx, wire.VoidedBy(run))
	if err != nil || found && by == activity.GetInfo(ctx).WorkflowExecution.RunID {
		return err
	}
	return h.mine(ctx, run)
}

// started reports whether the execution that this activity runs for is the run's own. The first one to ask names it,
// where a process died between starting a run and writing down which execution that is.
func (h *House) started(ctx context.Context, run string) (bool, error) {
	at := activity.GetInfo(ctx).WorkflowExecution.RunID
	known, found, err := h.DB.Setting(ctx, wire.ExecutionOf(run))
	if err != nil || found {
		return known == at, err
	}
	if _, err := h.DB.Run(ctx, run); err != nil {
		var missing *database.NotFoundError
		if errors.As(err, &missing) {
			return false, refuse(wire.ErrRefused, fmt.Sprintf("there is no run %q", run))
		}
		return false, err
	}
	known, err = h.DB.KeepSetting(ctx, wire.ExecutionOf(run), at)
	return known == at, err
}

// refuseCall writes down that a call was refused, once per execution, action and reason, and returns the refusal.
func (h *House) refuseCall(ctx context.Context, c wire.Call, code, why string) error {
	at := activity.GetInfo(ctx).WorkflowExecution
	h.ledger(ctx, c.Run, "call.refused", c.Step, "refused/"+at.RunID+"/"+c.Action+"/"+code, map[string]any{
		"code": code, "why": why, "action": c.Action, "workflow": at.ID, "execution": at.RunID,
	})
	return refuse(wire.ErrRefused, why)
}

// known is a key as the inventory describes it now: who owns it and whether it is critical is never taken from a caller.
func (h *House) known(k incident.Key) incident.Key {
	if h.Inventory == nil {
		return k
	}
	return h.Inventory.Enrich(k)
}

// Refused writes down what somebody sent to a run straight through the workflow engine and the run did not take; of one
// kind one entry a second, so that a flood does not fill the ledger.
func (h *House) Refused(ctx context.Context, workflowID, execution, kind, name, code, why string) {
	of, _, _ := strings.Cut(workflowID, "/")
	runs, err := h.DB.Runs(ctx, database.Filter{Incident: of, Limit: 50})
	if err != nil {
		h.Log.Error("what was refused in a run could not be written down", "workflow", workflowID, "error", err)
		return
	}
	at := h.Now()
	for _, r := range runs {
		if r.WorkflowID() == workflowID {
			h.ledger(ctx, r.ID, kind+".refused", "", fmt.Sprintf("refused/%s/%s/%s/%s/%d", execution, kind, name, code, at.Unix()), map[string]any{
				"name": name, "code": code, "why": why, "execution": execution,
			})
		}
	}
}
