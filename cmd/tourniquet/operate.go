package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/gateway"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/starter"
)

// operate adds what operators do over HTTP: start and cancel runs, hold.
func operate(mux *http.ServeMux, p routeParams) {
	mux.HandleFunc("POST /v1/runs", p.signedIn(func(w http.ResponseWriter, r *http.Request, person string) {
		var b struct{ Playbook, Key, Reason string }
		if !read(w, r, &b) {
			return
		}
		run, err := p.Starter.StartByHand(r.Context(), starter.ByHand{Playbook: b.Playbook, Key: b.Key, Reason: b.Reason, Starter: person})
		if err != nil {
			problem(w, http.StatusUnprocessableEntity, err.Error())
			return
		}
		reply(w, http.StatusAccepted, run)
	}))
	mux.HandleFunc("POST /v1/runs/{id}/cancel", p.signedIn(p.cancel))
	mux.HandleFunc("POST /v1/runs/{id}/note", p.signedIn(p.note))
	mux.HandleFunc("GET /v1/hold", p.signedIn(func(w http.ResponseWriter, r *http.Request, _ string) {
		on, who, reason, err := p.DB.Hold(r.Context())
		if err != nil {
			problem(w, http.StatusServiceUnavailable, "the hold could not be read")
			return
		}
		reply(w, http.StatusOK, map[string]any{"on": on, "by": who, "reason": reason})
	}))
	mux.HandleFunc("POST /v1/hold", p.signedIn(func(w http.ResponseWriter, r *http.Request, person string) {
		var b struct {
			On     bool
			Reason string
		}
		if !read(w, r, &b) {
			return
		}
		if err := p.Desk.Hold(r.Context(), person, b.On, b.Reason); err != nil {
			problem(w, http.StatusUnprocessableEntity, "nothing changed: "+err.Error())
			return
		}
		reply(w, http.StatusOK, map[string]any{"on": b.On, "by": person, "reason": b.Reason})
	}))
	mux.HandleFunc("GET /v1/playbooks", p.signedIn(func(w http.ResponseWriter, _ *http.Request, _ string) {
		reply(w, http.StatusOK, serving(p.Books))
	}))
	silenceRoutes(mux, p)
	historyRoutes(mux, p)
	watchRoutes(mux, p)
}

// cancel writes down who asked and why before the engine is told.
func (p routeParams) cancel(w http.ResponseWriter, r *http.Request, person string) {
	var b struct{ Reason string }
	if !read(w, r, &b) {
		return
	}
	if b.Reason == "" {
		problem(w, http.StatusUnprocessableEntity, "cancelling a run needs a reason")
		return
	}
	run, err := p.DB.Run(r.Context(), r.PathValue("id"))
	if err != nil {
		problem(w, http.StatusNotFound, "there is no such run")
		return
	}
	if run.State == "done" {
		problem(w, http.StatusConflict, "the run has ended already")
		return
	}
	now := time.Now()
	err = p.DB.Append(r.Context(), run.ID, database.Entry{
		ID: fmt.Sprintf("cancel/%s/%d", person, now.UnixNano()), Kind: "run.cancel_asked", Actor: person, At: now, Body: map[string]string{"reason": b.Reason},
	})
	if err != nil {
		problem(w, http.StatusServiceUnavailable, "who cancels and why could not be written down; nothing changed")
		return
	}
	if err := p.endWorkflow(r.Context(), run, person, b.Reason); err != nil {
		p.Settings.Log.Error("a run could not be cancelled", "run", run.ID, "error", err)
		problem(w, http.StatusServiceUnavailable, "the run could not be cancelled just now; try again")
		return
	}
	p.Settings.Log.Info("a run was cancelled", "run", run.ID, "by", person)
	reply(w, http.StatusAccepted, map[string]string{"run_id": run.ID, "status": "cancelling"})
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

// signedIn lets people with a personal token in.
func (p routeParams) signedIn(next func(http.ResponseWriter, *http.Request, string)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		person, ok := personOf(r.Context(), p.DB, r.Header)
		if !ok {
			problem(w, http.StatusUnauthorized, "send a personal token as Authorization: Bearer; another operator makes one with: tourniquet person token")
			return
		}
		next(w, r, person)
	}
}

// read decodes a small JSON body strictly.
func read(w http.ResponseWriter, r *http.Request, into any) bool {
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil && !errors.Is(err, io.EOF) {
		problem(w, http.StatusBadRequest, "the body is not the JSON that is expected here: "+err.Error())
		return false
	}
	return true
}

// problem answers with a document of RFC 9457.
func problem(w http.ResponseWriter, status int, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"type": "about:blank", "title": http.StatusText(status), "status": status, "detail": detail})
}

func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}
