package activities

import (
	"context"
	"fmt"

	"go.temporal.io/sdk/activity"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
)

// voidRun takes every request of a run that was reset out of people's hands, writes that down and wakes the responders.
// The execution that asks may from then on put its question and close the run; it may call nothing.
func (h *House) voidRun(ctx context.Context, v wire.Void) error {
	ours, err := h.started(ctx, v.Run)
	if err != nil {
		return err
	}
	at := activity.GetInfo(ctx).WorkflowExecution.RunID
	if ours {
		return refuse(wire.ErrRefused, "the execution that we started was not reset; nothing of it is void")
	}
	if err := h.DB.PutSetting(ctx, wire.VoidedBy(v.Run), at); err != nil {
		return err
	}
	open, err := h.DB.Requests(ctx, v.Run, true)
	if err != nil {
		return err
	}
	for _, view := range open {
		if err := h.voidRequest(ctx, view, v.Why); err != nil {
			return err
		}
	}
	h.ledger(ctx, v.Run, "run.reset_refused", "", "reset/"+at, map[string]any{"original": v.Original, "execution": at, "why": v.Why})
	h.wakeAboutReset(ctx, v)
	return h.DB.UpdateRun(ctx, v.Run, func(r *incident.Run) { r.State = "parked" })
}

// voidRequest closes one request in our own records; its copies follow when chat is there.
func (h *House) voidRequest(ctx context.Context, view signoff.View, why string) error {
	err := h.DB.SetRequest(ctx, view.Request, func(v *signoff.View) error {
		if !closedState(v.State) {
			v.State, v.Otherwise = signoff.StateVoided, why
		}
		return nil
	})
	if err != nil {
		return err
	}
	h.ledger(ctx, view.Envelope.Run, "signoff.settled", view.Envelope.Step, "settled/"+view.Request+"/"+signoff.StateVoided,
		map[string]any{"request": view.Request, "state": signoff.StateVoided, "why": why})
	if err := h.Cards.Refresh(ctx, view.Request); err != nil {
		h.Log.Warn("a voided card could not be brought up to date", "request", view.Request, "error", err)
	}
	return nil
}

// wakeAboutReset pages; the question that the parked run asks reaches chat by itself.
func (h *House) wakeAboutReset(ctx context.Context, v wire.Void) {
	if h.Pager == nil {
		return
	}
	text := fmt.Sprintf("Run %s was reset outside Tourniquet: %s", v.Run, v.Why)
	if err := h.Pager.Page(ctx, "reset/"+v.Run, text, nil); err != nil {
		h.Log.Error("nobody could be paged about a reset run", "run", v.Run, "error", err)
	}
}
