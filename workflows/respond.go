package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
)

// Respond is one run of a playbook. Its workflow id is the incident's id (later runs of one incident add their number).
func Respond(ctx workflow.Context, in wire.Start) (wire.Ended, error) {
	r := newRun(in)
	r.installDoors(ctx)
	if h := r.guardReset(ctx); h != nil {
		return r.finish(ctx, h)
	}
	h := r.begin(ctx)
	if h == nil {
		h = r.sequence(ctx, r.root, in.Program.Steps)
	}
	return r.finish(ctx, h)
}

// halt is why a run goes no further; nil means go on.
type halt struct {
	outcome string // incident.Outcome…, or outcomeVoided inside a signed group
	why     string
}

// outcomeVoided never leaves a signed group: the group asks anew.
const outcomeVoided = "voided"

// run is the state of one Respond.
type run struct {
	in        wire.Start
	root      *scope
	key       *incident.Key
	alerts    []any
	requests  map[string]*request
	questions map[string]*question
	inForce   []undoable
	undone    bool              // a final step was declined, skipped by a person or failed
	declined  bool              // some sign-off ended with skip
	probe     string            // state of the last key.probe
	lists     map[string][]any  // of loops under a sign-off, frozen when it was first prepared
	kept      map[string]*scope // loop items, so that a second sign-off does not repeat what is done
	batch     wire.Batch
	seq       int
	asked     int
}

// undoable is an effect that is still in force.
type undoable struct {
	step, undo string
	with       map[string]any
}

func newRun(in wire.Start) *run {
	r := &run{
		in: in, requests: map[string]*request{}, questions: map[string]*question{}, lists: map[string][]any{}, kept: map[string]*scope{},
		batch: wire.Batch{Run: in.Run.ID},
	}
	r.root = newScope(in.Program)
	r.alerts = []any{timed(toMap(in.Alert))}
	return r
}

// guardReset refuses a history that somebody reset: a reset applies updates again, and with them old approvals.
func (r *run) guardReset(ctx workflow.Context) *halt {
	info := workflow.GetInfo(ctx)
	if info.OriginalRunID == info.WorkflowExecution.RunID {
		return nil
	}
	r.event(ctx, "run.reset_refused", "", map[string]any{"original": info.OriginalRunID})
	r.page(ctx, "reset_guard", "The workflow of this run was reset. Nothing it holds counts any more; start a new run by hand.")
	return &halt{outcome: incident.OutcomeStopped, why: "the workflow was reset, so every request is void"}
}

// begin identifies the key and evaluates vars, once.
func (r *run) begin(ctx workflow.Context) *halt {
	r.event(ctx, "run.started", "", map[string]any{"playbook": r.in.Program.ID, "digest": r.in.Program.Digest, "mode": r.in.Run.Mode})
	if r.in.Program.NeedsKey {
		if h := r.identify(ctx); h != nil {
			return h
		}
	}
	for _, v := range r.in.Program.Vars {
		got, err := v.Value.Eval(r.root.env(r), workflow.Now(ctx))
		if err != nil {
			return &halt{incident.OutcomeFailed, "vars." + v.Name + ": " + err.Error()}
		}
		r.root.vars[v.Name] = got
	}
	return nil
}

// decideRule is the rule of the policy's default sign-off for undoable steps.
func (r *run) defaultSeats() []signoff.Seat { return r.in.Policy.Undoable.DefaultSignoff }
