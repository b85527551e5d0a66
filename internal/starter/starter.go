package starter

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/gateway"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/intake"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

// taskTimeout is how long Temporal waits for a worker that died in the middle of a workflow task (design/speed.md: a
// lost containment came back after 12 s with the default and after 4.4 s with this).
const taskTimeout = 2 * time.Second

// Options of a starter.
type Options struct {
	DB         *database.DB
	Temporal   client.Client
	Library    func() Library                                     // the one in force now
	Compile    func(id, source string) (*playbooks.Program, bool) // of a run whose file changed; nil: none
	Policy     signoff.Policy
	Critical   func(incident.Clue) bool                                           // may an alert be about a critical key? nil: none is
	Gone       func(ctx context.Context, run incident.Run, who, why string) error // closes a run whose workflow is gone; nil: nobody does
	PublicKeys map[string]string
	Mode       string
	World      string
	Log        *slog.Logger
	Now        func() time.Time
	// Trace begins the trace of an alert; nil: nothing is traced.
	Trace func(ctx context.Context, alert string, at time.Time, pairs ...string) (context.Context, func())
}

// Starter starts runs.
type Starter struct{ Options }

// New is a starter.
func New(o Options) *Starter { return &Starter{o} }

// Start decides what becomes of one stored alert.
func (s *Starter) Start(ctx context.Context, p database.Pending) (fate, reason, runID string, err error) {
	run, open, err := s.DB.OpenRunOf(ctx, p.Incident)
	if err != nil {
		return "", "", "", intake.Unavailable(err)
	}
	if open && run.AlertID != p.Alert.ID {
		return s.join(ctx, run, p)
	}
	if open {
		if program, ok := s.written(run); ok {
			return s.repeat(ctx, run, p, program)
		}
	}
	if p.Alert.Source == byHand && p.Alert.FindingDigest == "" { // what came through the door has a digest, whatever its source is named
		return incident.FateRecorded, "a person asked for a run, but it was not written down; ask for it again", "", nil
	}
	if p.Alert.Kind == incident.KindUnread {
		return incident.FateSetAside, p.Alert.Title, "", nil
	}
	if p.Alert.Kind == incident.KindResolved {
		return incident.FateRecorded, "it says that something is over, and no run is open", "", nil
	}
	hidden, spared, err := s.silenced(ctx, p.Alert)
	if err != nil {
		return "", "", "", intake.Unavailable(err)
	}
	if hidden != "" {
		return incident.FateSuppressed, hidden, "", nil
	}
	program, why := s.match(p.Alert)
	if program == nil {
		return incident.FateRecorded, why, "", nil
	}
	if run, err = s.row(ctx, program, p); err != nil {
		return "", "", "", err
	}
	fate, reason, runID, err = s.repeat(ctx, run, p, program)
	if spared != "" {
		reason += "; " + spared
	}
	return fate, reason, runID, err
}

// written is the program of a run that was written down: the one in force, or, when the file changed since, the run's own.
func (s *Starter) written(run incident.Run) (*playbooks.Program, bool) {
	if p, ok := s.Library().Find(run.Playbook); ok && p.Digest == run.Digest {
		return p, true
	}
	if s.Compile == nil {
		return nil, false
	}
	p, ok := s.Compile(run.Playbook, run.Source)
	return p, ok && p.Digest == run.Digest
}

// repeat goes on with a start that was written down but perhaps not finished, as it was written: whoever asked for the
// run stays excluded, and the playbook is the one that was picked then.
func (s *Starter) repeat(ctx context.Context, run incident.Run, p database.Pending, program *playbooks.Program) (string, string, string, error) {
	bound, err := s.begin(ctx, run, p.Alert, program, nil)
	if err != nil {
		return "", "", "", err
	}
	if err := s.DB.Keep(ctx, run.ID, database.Kept{Entries: s.entries("alert.started", p), Setting: bound}); err != nil {
		return "", "", "", intake.Unavailable(err)
	}
	return incident.FateStarted, "playbook " + program.ID, run.ID, nil
}

// gone closes a run whose workflow has ended while our records say that it goes on. A run closes its records before its workflow
// ends, so somebody ended it from outside; the alert starts another one when it is tried again.
func (s *Starter) gone(ctx context.Context, id, why string) error {
	run, err := s.DB.Run(ctx, id)
	if err != nil || run.State == "done" || s.Gone == nil {
		return err
	}
	if begins, err := s.begins(ctx, run); err != nil || begins {
		return err
	}
	s.Log.Warn("a run's workflow was ended outside Tourniquet; the run is closed", "run", id)
	return s.Gone(ctx, run, "system", why)
}

// begins tells of a run that is written down and whose workflow nobody has seen, while the alert that starts it still waits for its
// fate: another lane, another process or the next life of this one is about to start it, however long the engine was away.
func (s *Starter) begins(ctx context.Context, run incident.Run) (bool, error) {
	if _, seen, err := s.DB.Setting(ctx, wire.ExecutionOf(run.ID)); err != nil || seen {
		return false, err
	}
	f, err := s.DB.AlertFate(ctx, run.AlertID)
	return f.Fate == incident.FateStored, err
}

// match picks the playbook that answers; why tells what was tried.
func (s *Starter) match(a incident.Alert) (*playbooks.Program, string) {
	picked, all := playbooks.Route(s.Library().Programs, a.Env(), a.NamesKey(), s.Now())
	if picked != nil {
		return picked, ""
	}
	var tried []string
	for _, v := range all {
		tried = append(tried, v.Playbook+": "+v.Why)
	}
	return nil, "no playbook answers it (" + strings.Join(tried, "; ") + ")"
}

// row is the run as our records will know it. Its id follows from the incident and from how many of its runs are over, so that
// a repeat makes the same row.
func (s *Starter) row(ctx context.Context, p *playbooks.Program, pending database.Pending) (incident.Run, error) {
	before, err := s.DB.Runs(ctx, database.Filter{Incident: pending.Incident, State: "done", Limit: mostRuns})
	if err != nil {
		return incident.Run{}, intake.Unavailable(err)
	}
	run := incident.Run{
		ID: "run-" + strings.TrimPrefix(pending.Incident, "inc-"), Incident: pending.Incident, Number: len(before) + 1, Playbook: p.ID, Digest: p.Digest,
		Source: p.Source, Mode: s.Mode, World: s.World, AlertID: pending.Alert.ID, Trust: pending.Alert.Trust, State: "running", StartedAt: s.Now(),
		Signers: slices.Sorted(maps.Keys(s.PublicKeys)),
	}
	if run.Number > 1 {
		run.ID = fmt.Sprintf("%s-%d", run.ID, run.Number)
	}
	return run, nil
}

func (s *Starter) trace(ctx context.Context, run incident.Run, a incident.Alert) (context.Context, func()) {
	if s.Trace == nil {
		return ctx, func() {}
	}
	if a.ID == "" { // a run by hand
		return s.Trace(ctx, run.ID, s.Now(), "run", run.ID, "incident", run.Incident, "playbook", run.Playbook)
	}
	return s.Trace(ctx, a.ID, a.ReceivedAt, "run", run.ID, "incident", run.Incident, "playbook", run.Playbook, "source", a.Source, "kind", a.Kind)
}

// mostRuns bounds what is counted: an incident has a second run only where somebody ended the first one from outside.
const mostRuns = 500

// begin writes the run down and starts its workflow. A workflow that exists already is the same start, repeated. What it returns is
// kept at once, so that a reset can never be the first to name the run's execution; whoever came first stays.
func (s *Starter) begin(ctx context.Context, run incident.Run, a incident.Alert, p *playbooks.Program, inputs map[string]any) (bound map[string]string, err error) {
	if err := s.DB.PutRun(ctx, run); err != nil {
		return nil, intake.Unavailable(err)
	}
	ctx, end := s.trace(ctx, run, a)
	defer end()
	we, err := s.Temporal.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID: gateway.WorkflowID(run), TaskQueue: wire.TaskQueue, EnableEagerStart: true, WorkflowTaskTimeout: taskTimeout,
		WorkflowIDReusePolicy:    enums.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
		WorkflowIDConflictPolicy: enums.WORKFLOW_ID_CONFLICT_POLICY_FAIL,
	}, wire.Respond, wire.Start{Run: run, Alert: a, Program: p, Policy: s.Policy, PublicKeys: s.PublicKeys, Inputs: inputs})
	var already *serviceerror.WorkflowExecutionAlreadyStarted
	if errors.As(err, &already) {
		return nil, nil
	}
	if err != nil {
		return nil, intake.Unavailable(fmt.Errorf("the workflow engine did not take the run: %w", err))
	}
	return map[string]string{wire.ExecutionOf(run.ID): we.GetRunID()}, nil
}
