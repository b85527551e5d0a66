package main

import (
	"context"
	"net/http"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/api"
	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/people"
	"github.com/tourniquet-ir/tourniquet/internal/silence"
)

// lookBack and maxLook bound what a preview reads: alerts of the last days, at most so many.
const (
	lookBack = 7 * 24 * time.Hour
	maxLook  = 20_000
	maxShown = 20
)

// preview is what a silence would have hidden.
type preview struct {
	Silence database.Silence `json:"silence"`
	Since   time.Time        `json:"since"`
	Looked  int              `json:"looked"` // alerts since then
	Hidden  int              `json:"hidden"`
	Spared  int              `json:"spared"`  // fit, but may be about a critical key
	Started int              `json:"started"` // of the hidden, how many had started a run
	Alerts  []previewed      `json:"alerts"`
}

type previewed struct {
	ID     string    `json:"id"`
	At     time.Time `json:"at"`
	Source string    `json:"source"`
	Title  string    `json:"title"`
	Fate   string    `json:"fate"`
}

func (p routeParams) silences() []api.Endpoint {
	return []api.Endpoint{
		api.JSON("GET", "/v1/silences", "listSilences", "Silences: in force, to come, and ended", people.Look, http.StatusOK, p.listSilences),
		api.JSON("POST", "/v1/silences/preview", "previewSilence", "What a silence would have hidden", people.Act, http.StatusOK, func(ctx context.Context, who api.Caller, in silenceIn) (preview, error) {
			return p.silence(ctx, who, in, false)
		}),
		api.JSON("POST", "/v1/silences", "addSilence", "Keep alerts from starting runs for a while; its owner is whoever asks", people.Act, http.StatusCreated, func(ctx context.Context, who api.Caller, in silenceIn) (preview, error) {
			return p.silence(ctx, who, in, true)
		}),
		api.JSON("POST", "/v1/silences/{id}/expire", "expireSilence", "End a silence now", people.Act, http.StatusOK, p.expireSilence),
	}
}

func (p routeParams) listSilences(ctx context.Context, _ api.Caller, _ api.None) (api.Page[database.Silence], error) {
	list, err := p.DB.Silences(ctx, 200)
	if err != nil {
		return api.Page[database.Silence]{}, away("the silences could not be read")
	}
	return api.List(list, ""), nil
}

type silenceStatus struct {
	ID     string `json:"id"`
	Status string `json:"status"`
}

func (p routeParams) expireSilence(ctx context.Context, who api.Caller, in idIn) (silenceStatus, error) {
	err := p.DB.ExpireSilence(ctx, in.ID, who.Person.ID, time.Now())
	switch {
	case database.IsNotFound(err):
		return silenceStatus{}, api.Fault(http.StatusNotFound, "not_found", "there is no such silence")
	case err != nil:
		return silenceStatus{}, away("the silence could not be ended; nothing changed")
	}
	p.Settings.Log.Info("a silence was ended", "silence", in.ID, "by", who.Person.ID)
	return silenceStatus{in.ID, "expired"}, nil
}

type silenceIn struct {
	If     string    `json:"if" doc:"a condition over alert, as a trigger has"`
	Reason string    `json:"reason"`
	From   time.Time `json:"from,omitzero" doc:"left out: now"`
	Until  time.Time `json:"until"`
}

// silence shows what a silence would have hidden, and with keep adds it. Its owner is whoever asks.
func (p routeParams) silence(ctx context.Context, who api.Caller, in silenceIn, keep bool) (preview, error) {
	now := time.Now()
	s := database.Silence{Owner: who.Person.ID, Reason: in.Reason, If: in.If, From: in.From, Until: in.Until}
	if s.From.IsZero() {
		s.From = now
	}
	if err := silence.Check(s, now); err != nil {
		return preview{}, api.Malformed(err.Error())
	}
	out, err := p.previewOf(ctx, s, now)
	if err == nil && keep {
		out.Silence, err = p.DB.AddSilence(ctx, s)
	}
	if err != nil {
		return preview{}, away("the database did not answer; nothing changed")
	}
	if keep {
		p.Settings.Log.Info("a silence was added", "silence", out.Silence.ID, "by", who.Person.ID, "until", s.Until)
	}
	return out, nil
}

// previewOf asks the silence about the alerts of the last days, as if it had been in force then.
func (p routeParams) previewOf(ctx context.Context, s database.Silence, now time.Time) (preview, error) {
	out := preview{Silence: s, Since: now.Add(-lookBack), Alerts: []previewed{}}
	list, err := p.DB.AlertsSince(ctx, out.Since, maxLook)
	if err != nil {
		return out, err
	}
	s.From, s.Until = out.Since, now.Add(time.Minute)
	rules := p.Starter.SilenceRules()
	out.Looked = len(list)
	for _, a := range list {
		hides, spared := rules.Hides(s, a.Alert, map[string]any{"alert": a.Alert.Fields()})
		switch {
		case spared != "":
			out.Spared++
		case hides:
			if out.Hidden++; a.Fate.Fate == "started" {
				out.Started++
			}
			if len(out.Alerts) < maxShown {
				out.Alerts = append(out.Alerts, previewed{a.Alert.ID, a.Alert.ReceivedAt, a.Alert.Source, a.Alert.Title, a.Fate.Fate})
			}
		}
	}
	return out, nil
}
