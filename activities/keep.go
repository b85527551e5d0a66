package activities

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
)

// keep writes down how a call ended: the step for the console, the entry for the ledger, and the key once it is known, in
// one transaction.
func (h *House) keep(ctx context.Context, a Action, call wire.Call, res wire.Result, err error, started time.Time) error {
	status, text := "done", ""
	if err != nil {
		status, text = "failed", err.Error()
	}
	var app *temporal.ApplicationError
	if errors.As(err, &app) && app.Type() == wire.ErrWait {
		status, text = "waiting", app.Message() // nothing was sent and nothing failed
	}
	h.Metrics.Step(a.Card.Name, status)
	h.Log.Info("a step ended", "run", call.Run, "step", call.Step, "action", a.Card.Name, "effect", a.Card.Effect, "status", status, "seconds", h.Now().Sub(started).Seconds())
	id := fmt.Sprintf("step/%s/%d/%s", call.Step, call.Attempt, status)
	if call.Grant != nil {
		id += "/" + call.Grant.Request
	}
	row := stepRow(a, call, status, res.Outputs, text, started)
	row.FinishedAt = h.Now()
	e := database.Entry{ID: id, Kind: "step." + status, Actor: "system", Step: call.Step, At: row.FinishedAt, Body: map[string]any{
		"action": a.Card.Name, "effect": a.Card.Effect, "summary": res.Summary, "error": text, "already": res.Already,
		"provider_request": res.Request,
	}}
	kept := database.Kept{Steps: []database.StepRow{row}, Entries: []database.Entry{e}}
	if k, ok := res.Outputs["key"].(incident.Key); ok && a.Card.Name == "key.identify" {
		kept.Change = func(r *incident.Run) { r.Key = &k }
	}
	if err := h.DB.Keep(context.WithoutCancel(ctx), call.Run, kept); err != nil {
		h.Log.Error("a step and its ledger entry could not be written down", "run", call.Run, "step", call.Step, "error", err)
		return err
	}
	return nil
}

// showRunning shows that a call is under way. One that runs locally is over before anybody could look: only its end is written.
func (h *House) showRunning(ctx context.Context, a Action, call wire.Call, started time.Time) {
	if a.Card.Local {
		return
	}
	row := stepRow(a, call, "running", nil, "", started)
	if err := h.DB.PutStep(context.WithoutCancel(ctx), row); err != nil {
		h.Log.Error("a step could not be written down", "run", call.Run, "step", call.Step, "error", err)
	}
}

func stepRow(a Action, call wire.Call, status string, outputs map[string]any, text string, started time.Time) database.StepRow {
	in, err := json.Marshal(call.With)
	if err != nil {
		in = []byte("{}")
	}
	out, err := json.Marshal(outputs)
	if err != nil {
		out = []byte("{}")
	}
	return database.StepRow{
		Run: call.Run, Path: call.Step, Title: call.Title, Action: a.Card.Name, Effect: a.Card.Effect, Status: status,
		Inputs: in, Outputs: out, Error: text, Attempt: call.Attempt, StartedAt: started,
	}
}

// ledger appends one entry; a repeat with the same id is harmless. A ledger that cannot be written is said in the log:
// calls themselves are guarded by their own rows, which do fail.
func (h *House) ledger(ctx context.Context, run, kind, step, id string, body any) {
	e := database.Entry{ID: id, Kind: kind, Actor: "system", Step: step, At: h.Now(), Body: body}
	if err := h.DB.Append(context.WithoutCancel(ctx), run, e); err != nil {
		h.Log.Error("a ledger entry could not be written", "run", run, "entry", id, "error", err)
	}
}

// record writes down a batch of the workflow's own events.
func (h *House) record(ctx context.Context, b wire.Batch) error {
	if err := h.mineOrParked(ctx, b.Run); err != nil {
		return err
	}
	var k database.Kept
	for _, e := range b.Events {
		k.Entries = append(k.Entries, database.Entry{ID: e.ID, Kind: e.Kind, Actor: "workflow", Step: e.Step, At: e.At, Body: e.Body})
	}
	for _, s := range b.Steps {
		k.Steps = append(k.Steps, settled(b.Run, s))
	}
	if b.State != "" || b.Key != nil {
		k.Change = func(r *incident.Run) { stand(r, b) }
	}
	return h.DB.Keep(ctx, b.Run, k)
}

// settled is how a step stands that is no call.
func settled(run string, s wire.StepStatus) database.StepRow {
	row := database.StepRow{Run: run, Path: s.Path, Title: s.Title, Status: s.Status, Error: s.Error, StartedAt: s.From, FinishedAt: s.At}
	if s.From.IsZero() {
		row.StartedAt = s.At
	}
	if s.Status == wire.StatusRunning {
		row.FinishedAt = time.Time{}
	}
	if s.Over != nil {
		row.Inputs, _ = json.Marshal(s.Over) // raw JSON from a message that was read as JSON
	}
	return row
}

// stand is how a run stands after a batch. Only closing makes it done.
func stand(r *incident.Run, b wire.Batch) {
	if b.State != "" && r.State != "done" && b.State != "done" {
		r.State = b.State
	}
	if b.Key != nil && r.Key == nil { // what key.identify wrote down itself stays
		r.Key = b.Key
	}
}
