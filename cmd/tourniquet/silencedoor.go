package main

import (
	"net/http"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/database"
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

func silenceRoutes(mux *http.ServeMux, p routeParams) {
	mux.HandleFunc("POST /v1/silences/preview", p.signedIn(func(w http.ResponseWriter, r *http.Request, person string) { p.silence(w, r, person, false) }))
	mux.HandleFunc("POST /v1/silences", p.signedIn(func(w http.ResponseWriter, r *http.Request, person string) { p.silence(w, r, person, true) }))
	mux.HandleFunc("GET /v1/silences", p.signedIn(func(w http.ResponseWriter, r *http.Request, _ string) {
		list, err := p.DB.Silences(r.Context(), 200)
		if err != nil {
			problem(w, http.StatusServiceUnavailable, "the silences could not be read")
			return
		}
		reply(w, http.StatusOK, map[string]any{"items": list})
	}))
	mux.HandleFunc("POST /v1/silences/{id}/expire", p.signedIn(func(w http.ResponseWriter, r *http.Request, person string) {
		err := p.DB.ExpireSilence(r.Context(), r.PathValue("id"), person, time.Now())
		switch {
		case database.IsNotFound(err):
			problem(w, http.StatusNotFound, "there is no such silence")
		case err != nil:
			problem(w, http.StatusServiceUnavailable, "the silence could not be ended; nothing changed")
		default:
			p.Settings.Log.Info("a silence was ended", "silence", r.PathValue("id"), "by", person)
			reply(w, http.StatusOK, map[string]string{"id": r.PathValue("id"), "status": "expired"})
		}
	}))
}

// silence shows what a silence would have hidden, and with keep adds it. Its owner is whoever asks.
func (p routeParams) silence(w http.ResponseWriter, r *http.Request, person string, keep bool) {
	var b struct {
		If, Reason  string
		From, Until time.Time
	}
	if !read(w, r, &b) {
		return
	}
	now := time.Now()
	s := database.Silence{Owner: person, Reason: b.Reason, If: b.If, From: b.From, Until: b.Until}
	if s.From.IsZero() {
		s.From = now
	}
	if err := silence.Check(s, now); err != nil {
		problem(w, http.StatusUnprocessableEntity, err.Error())
		return
	}
	out, err := p.previewOf(r, s, now)
	if err == nil && keep {
		out.Silence, err = p.DB.AddSilence(r.Context(), s)
	}
	if err != nil {
		problem(w, http.StatusServiceUnavailable, "the database did not answer; nothing changed")
		return
	}
	status := http.StatusOK
	if keep {
		status = http.StatusCreated
		p.Settings.Log.Info("a silence was added", "silence", out.Silence.ID, "by", person, "until", s.Until)
	}
	reply(w, status, out)
}

// previewOf asks the silence about the alerts of the last days, as if it had been in force then.
func (p routeParams) previewOf(r *http.Request, s database.Silence, now time.Time) (preview, error) {
	out := preview{Silence: s, Since: now.Add(-lookBack), Alerts: []previewed{}}
	list, err := p.DB.AlertsSince(r.Context(), out.Since, maxLook)
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
