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
		dctx, _ := workflow.NewDisconnectedContext(ctx)
		ended := wire.Ended{Outcome: h.outcome, Why: h.why}
		return ended, r.close(dctx, ended)
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

// These never leave a signed group: the group asks anew.
const (
	outcomeVoided = "voided"
	outcomeLapsed = "lapsed"
)

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
	probe     string            // state of the last probe, of the key or of its whole project
	lists     map[string][]any  // of loops under a sign-off, frozen when it was first prepared
	kept      map[string]*scope // loop items, so that a second sign-off does not repeat what is done
	asks      []*request        // in the order in which they were put
	byPolicy  map[string]bool   // steps that wait for people only because policy does not automate them
	severity  string            // the highest of all alerts
	trust     string            // the most that a source of this run's alerts may do
	outcome   string            // of this playbook, once it has ended: what on_failure and finally may ask for
	batch     wire.Batch
	seq       int
	asked     int
	mark      string // sets the records of a reset apart from those of the run that was reset
}

// undoable is an effect that is still in force.
type undoable struct {
	step, undo string
	with       map[string]any
}

func newRun(in wire.Start) *run {
	r := &run{
		in: in, requests: map[string]*request{}, questions: map[string]*question{}, lists: map[string][]any{}, kept: map[string]*scope{},
		byPolicy: map[string]bool{}, severity: in.Alert.Severity, trust: in.Run.Trust,
		batch: wire.Batch{Run: in.Run.ID},
	}
	r.root = newScope(in.Program)
	r.alerts = []any{in.Alert.Fields()}
	return r
}

// guardReset refuses a history that somebody reset: a reset applies updates again, and with them old approvals. It voids
// every request, wakes people, and parks until one of them has seen it.
func (r *run) guardReset(ctx workflow.Context) *halt {
	info := workflow.GetInfo(ctx)
	if info.OriginalRunID == info.WorkflowExecution.RunID {
		return nil
	}
	const why = "the workflow was reset outside Tourniquet, so every request is void and nothing that it holds counts"
	r.mark = "reset-" + info.WorkflowExecution.RunID + "-"
	void := wire.Void{Run: r.in.Run.ID, Original: info.OriginalRunID, Why: why}
	if err := workflow.ExecuteActivity(r.patient(ctx), wire.VoidRun, void).Get(ctx, nil); err == nil {
		r.question(ctx, wire.Question{
			Step: "reset_guard", Kind: "park", From: r.in.Policy.Responders, Title: "This run was reset", Choices: []string{choiceStop},
			Prompt: "Somebody with access to the workflow engine reset this run. " + why + ". Find out who did that, then stop the run here and start a new one.",
		}, 1)
	}
	return &halt{outcome: incident.OutcomeStopped, why: why}
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
