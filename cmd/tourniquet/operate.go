package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"

	"github.com/tourniquet-ir/tourniquet/activities"
	"github.com/tourniquet-ir/tourniquet/internal/api"
	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/gateway"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/intake"
	"github.com/tourniquet-ir/tourniquet/internal/people"
	"github.com/tourniquet-ir/tourniquet/internal/starter"
)

// operate are the endpoints of those who operate: start and cancel runs, hold, silences, the watch, what is in force.
func (p routeParams) operate() []api.Endpoint {
	own := []api.Endpoint{
		api.JSON("POST", "/v1/runs", "startRun", "Start a run by hand; policy may keep its starter from deciding", people.Act, http.StatusAccepted, p.start),
		api.JSON("POST", "/v1/runs/{id}/cancel", "cancelRun", "Stop a run; what is in force stays in force", people.Act, http.StatusAccepted, p.cancel),
		api.JSON("POST", "/v1/runs/{id}/note", "noteRun", "Add a remark to the ledger of a run", people.Note, http.StatusCreated, p.note),
		api.JSON("GET", "/v1/hold", "getHold", "Whether automatic actions are stopped, by whom and why", people.Look, http.StatusOK, p.getHold),
		api.JSON("POST", "/v1/hold", "setHold", "Stop and resume all automatic actions", people.Act, http.StatusOK, p.setHold),
		api.JSON("GET", "/v1/playbooks", "listPlaybooks", "The playbooks in force, and why the files of the folder are not", people.Look, http.StatusOK, p.playbooks),
		api.JSON("GET", "/v1/actions", "listActions", "What playbooks can do, and what providers and stores declare about it", people.Look, http.StatusOK, p.actions),
	}
	return append(append(append(own, p.silences()...), p.watched()...), intake.Endpoints()...)
}

// away is an answer of ours that our records did not give just now.
func away(detail string) error { return api.Fault(http.StatusServiceUnavailable, "away", detail) }

type startIn struct {
	Playbook string `json:"playbook"`
	Key      string `json:"key" doc:"as provider:account:id"`
	Reason   string `json:"reason"`
}

func (p routeParams) start(ctx context.Context, who api.Caller, in startIn) (incident.Run, error) {
	run, err := p.Starter.StartByHand(ctx, starter.ByHand{Playbook: in.Playbook, Key: in.Key, Reason: in.Reason, Starter: who.Person.ID})
	if err != nil {
		return run, api.Malformed(err.Error())
	}
	return run, nil
}

// held is the state of the hold.
type held struct {
	On     bool   `json:"on"`
	By     string `json:"by"`
	Reason string `json:"reason"`
}

func (p routeParams) getHold(ctx context.Context, _ api.Caller, _ api.None) (h held, err error) {
	if h.On, h.By, h.Reason, err = p.DB.Hold(ctx); err != nil {
		return h, away("the hold could not be read")
	}
	return h, nil
}

type holdIn struct {
	On     bool   `json:"on"`
	Reason string `json:"reason"`
}

func (p routeParams) setHold(ctx context.Context, who api.Caller, in holdIn) (held, error) {
	if err := p.Desk.Hold(ctx, who.Person.ID, in.On, in.Reason); err != nil {
		return held{}, api.Malformed("nothing changed: " + err.Error())
	}
	return held{in.On, who.Person.ID, in.Reason}, nil
}

func (p routeParams) playbooks(context.Context, api.Caller, api.None) (served, error) {
	return serving(p.Books), nil
}

type idIn struct {
	ID string `path:"id"`
}

type cancelIn struct {
	idIn
	Reason string `json:"reason"`
}

// runStatus is what became of a run that somebody acted on.
type runStatus struct {
	RunID  string `json:"run_id"`
	Status string `json:"status"`
}

// cancel writes down who asked and why before the engine is told.
func (p routeParams) cancel(ctx context.Context, who api.Caller, in cancelIn) (runStatus, error) {
	if in.Reason == "" {
		return runStatus{}, api.Malformed("cancelling a run needs a reason")
	}
	run, err := p.DB.Run(ctx, in.ID)
	if err != nil {
		return runStatus{}, noRun(err)
	}
	if run.State == "done" {
		return runStatus{}, api.Fault(http.StatusConflict, "ended", "the run has ended already")
	}
	now := time.Now()
	err = p.DB.Append(ctx, run.ID, database.Entry{
		ID: fmt.Sprintf("cancel/%s/%d", who.Person.ID, now.UnixNano()), Kind: "run.cancel_asked", Actor: who.Person.ID, At: now, Body: map[string]string{"reason": in.Reason},
	})
	if err != nil {
		return runStatus{}, away("who cancels and why could not be written down; nothing changed")
	}
	if err := p.endWorkflow(ctx, run, who.Person.ID, in.Reason); err != nil {
		p.Settings.Log.Error("a run could not be cancelled", "run", run.ID, "error", err)
		return runStatus{}, away("the run could not be cancelled just now; try again")
	}
	p.Settings.Log.Info("a run was cancelled", "run", run.ID, "by", who.Person.ID)
	return runStatus{run.ID, "cancelling"}, nil
}

func noRun(err error) error {
	if database.IsNotFound(err) {
		return api.Fault(http.StatusNotFound, "not_found", "there is no such run")
	}
	return away("the run could not be read")
}

// endWorkflow cancels a run's workflow. Where our records say that it runs and the engine that it has ended, somebody ended it
// there, and the run is closed here.
func (p routeParams) endWorkflow(ctx context.Context, run incident.Run, person, reason string) error {
	id := gateway.WorkflowID(run)
	err := p.Engine.Client().CancelWorkflow(ctx, id, "")
	if err == nil {
		at, lost := p.Engine.Client().DescribeWorkflowExecution(ctx, id, "")
		if lost == nil && at.GetWorkflowExecutionInfo().GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING {
			return nil
		}
		err = lost
	}
	if gone := new(serviceerror.NotFound); err != nil && !errors.As(err, &gone) {
		return err
	}
	if now, err := p.DB.Run(ctx, run.ID); err != nil || now.State == "done" {
		return err
	}
	return p.Desk.CloseGone(ctx, run, person, reason)
}

func (p routeParams) actions(context.Context, api.Caller, api.None) (api.Page[card], error) {
	all := activities.All()
	cards := make([]card, 0, len(all))
	for _, a := range all {
		cards = append(cards, cardOf(a))
	}
	return api.List(cards, ""), nil
}
