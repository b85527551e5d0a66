package console

import (
	"net/http"
	"net/url"
	"slices"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

const perPage = 50

type homeData struct {
	Signoffs  []signoff.View
	Questions []database.Question
	Running   []incident.Run
	Recent    []incident.Run
	Hold      bool
	HoldBy    string
	HoldWhy   string
}

func (c *Console) home(w http.ResponseWriter, r *http.Request, s session) {
	d, err := c.homeData(r)
	if err != nil {
		c.broken(w, s, err)
		return
	}
	c.render(w, s, http.StatusOK, "home", "Now", d)
}

func (c *Console) homeData(r *http.Request) (d homeData, err error) {
	ctx := r.Context()
	if d.Hold, d.HoldBy, d.HoldWhy, err = c.DB.Hold(ctx); err != nil {
		return d, err
	}
	if d.Signoffs, err = c.DB.Requests(ctx, "", true); err != nil {
		return d, err
	}
	if d.Questions, err = c.DB.Questions(ctx, "", true); err != nil {
		return d, err
	}
	runs, err := c.DB.Runs(ctx, database.Filter{Limit: perPage})
	if err != nil {
		return d, err
	}
	for _, run := range runs {
		if run.State != "done" {
			d.Running = append(d.Running, run)
		} else if len(d.Recent) < 8 {
			d.Recent = append(d.Recent, run)
		}
	}
	return d, nil
}

type signoffsData struct {
	Open   []signoff.View
	Closed []signoff.View
}

// signoffs shows all that wait, and of the others the latest: those of years would fill no page.
func (c *Console) signoffs(w http.ResponseWriter, r *http.Request, s session) {
	waiting, err := c.DB.Requests(r.Context(), "", true)
	if err != nil {
		c.broken(w, s, err)
		return
	}
	latest, err := c.DB.LatestRequests(r.Context(), 4*perPage)
	if err != nil {
		c.broken(w, s, err)
		return
	}
	d := signoffsData{}
	for _, v := range slices.Backward(waiting) {
		d.Open = append(d.Open, v)
	}
	for _, v := range latest {
		switch v.State {
		case signoff.StateOpen, signoff.StateQuorum:
		case signoff.StateExecuting:
			d.Open = append(d.Open, v)
		default:
			d.Closed = append(d.Closed, v)
		}
	}
	c.render(w, s, http.StatusOK, "signoffs", "Sign-offs", d)
}

type alertsData struct {
	Alerts []database.Received
	Next   string
	Fate   string // only these; empty: all
	Fates  []string
}

// fates are all that can become of an alert, as the filter offers them.
func fates() []string {
	return []string{incident.FateStarted, incident.FateJoined, incident.FateRecorded, incident.FateSuppressed, incident.FateSetAside, incident.FateStored}
}

func (c *Console) alerts(w http.ResponseWriter, r *http.Request, s session) {
	fate := r.URL.Query().Get("fate")
	list, err := c.DB.AlertsOfFate(r.Context(), fate, perPage, r.URL.Query().Get("before"))
	if err != nil {
		c.broken(w, s, err)
		return
	}
	d := alertsData{Alerts: list, Fate: fate, Fates: fates()}
	if len(list) == perPage {
		next := url.Values{"before": {list[len(list)-1].Alert.ID}}
		if fate != "" {
			next.Set("fate", fate)
		}
		d.Next = "/alerts?" + next.Encode()
	}
	c.render(w, s, http.StatusOK, "alerts", "Alerts", d)
}
