package console

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/api"
	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/people"
	"github.com/tourniquet-ir/tourniquet/internal/report"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

// endpoints are what the console itself answers; Options.More are those of other rooms.
func (c *Console) endpoints() []api.Endpoint {
	return []api.Endpoint{
		api.JSON("GET", "/v1/runs", "listRuns", "Runs, newest first", people.Look, http.StatusOK, c.apiRuns),
		api.JSON("GET", "/v1/runs/{id}", "getRun", "All that the records hold of one run", people.Look, http.StatusOK, c.apiRun),
		c.timelineEndpoint(),
		api.Raw("GET", "/v1/runs/{id}/report", "getReport", "The report of a run", people.Look, []string{"text/markdown", "text/html", "application/json"}, c.apiReport),
		api.Raw("GET", "/v1/runs/{id}/evidence", "getEvidence", "The signed bundle of a run; taking it is written into the ledger", people.SeeDetail, []string{"application/zip"}, c.apiEvidence),
		api.Raw("GET", "/v1/runs/{id}/refund", "getRefundPack", "The bundle redacted to what a provider's billing support needs", people.SeeDetail, []string{"application/zip"}, c.apiRefund),
		api.JSON("POST", "/v1/runs/{id}/review", "reviewRun", "Add a lesson or a next step, or say that one is done", people.Note, http.StatusCreated, c.apiReview),
		api.Raw("GET", "/v1/report.schema.json", "getReportSchema", "The schema of the JSON report", people.Look, []string{"application/schema+json"}, c.apiReportSchema),
		api.JSON("GET", "/v1/runs/{id}/history", "getHistory", "The decrypted history of the run's workflow, event by event", people.SeeDetail, http.StatusOK, c.apiHistory),
		api.JSON("GET", "/v1/signoffs", "listSignoffs", "Sign-offs, oldest first", people.Look, http.StatusOK, c.apiSignoffs),
		api.JSON("GET", "/v1/signoffs/{id}", "getSignoff", "One sign-off as people see it, with every attempt", people.Look, http.StatusOK, c.apiSignoff),
		api.JSON("POST", "/v1/signoffs/{id}/decisions", "decide", "Approve or reject; every attempt is written down", people.Decide, http.StatusOK, c.apiDecide),
		api.JSON("GET", "/v1/questions", "listQuestions", "Questions, oldest first", people.Look, http.StatusOK, c.apiQuestions),
		api.JSON("POST", "/v1/questions/{id}/answers", "answer", "Answer a question", people.Decide, http.StatusOK, c.apiAnswer),
		api.JSON("POST", "/v1/questions/{id}/key", "sealKey", "Put a key that was made by hand under seal", people.Decide, http.StatusOK, c.apiSeal),
		api.JSON("GET", "/v1/alerts", "listAlerts", "Alerts, newest first, also those that started nothing", people.Look, http.StatusOK, c.apiAlerts),
	}
}

func (c *Console) all() []api.Endpoint {
	doc := api.Raw("GET", "/v1/openapi.json", "getDescription", "This document", people.Look, []string{"application/json"}, c.apiDocument)
	return append(append(c.endpoints(), c.More...), doc)
}

func (c *Console) apiDocument(w http.ResponseWriter, _ *http.Request, _ api.Caller, _ api.None) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(c.document) // who went away does not need the rest
}

// api lets in a personal token. A browser's session may read here, so that links to documents work, but only the token,
// which no other site can send, may write.
func (c *Console) api(e api.Endpoint) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s, bearer, ok, refusal, err := c.caller(r)
		switch {
		case err != nil:
			api.Refuse(w, c.apiFault(err))
		case !ok:
			w.Header().Set("WWW-Authenticate", `Bearer realm="tourniquet"`)
			api.Refuse(w, api.Fault(http.StatusUnauthorized, "not_authenticated", cmp.Or(refusal, "Send your personal token as “Authorization: Bearer …”; an operator issues one with “tourniquet person token”.")))
		case e.Right != "" && !s.may(e.Right):
			api.Refuse(w, api.Fault(http.StatusForbidden, "role", notForRole))
		default:
			surface := SurfaceConsole
			if bearer {
				surface = SurfaceCLI
			}
			e.Serve(w, r, api.Caller{Person: s.person, Bearer: bearer, Surface: surface, Detail: s.may(people.SeeDetail)})
		}
	}
}

const notForRole = "Your role does not allow this. Roles stand under people in the configuration, or come from the sign-on service."

func (c *Console) caller(r *http.Request) (s session, bearer, ok bool, refusal string, err error) {
	token, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if bearer {
		if token = strings.TrimSpace(token); token == "" || len(token) > maxToken {
			return session{}, true, false, "", nil
		}
		p, id, refusal := c.Desk.Person(r.Context(), token)
		return session{person: p}, true, id != "" && p.ID != "", refusal, nil
	}
	s, ok, err = c.find(r)
	return s, false, ok && r.Method == http.MethodGet, "", err
}

// apiFault words an error of our own records: 404 where something is unknown, else 500 with the cause in the log only.
func (c *Console) apiFault(err error) error {
	var missing *database.NotFoundError
	if errors.As(err, &missing) {
		return api.Fault(http.StatusNotFound, "not_found", fmt.Sprintf("There is no %s %q here.", missing.Kind, missing.ID))
	}
	if !errors.Is(err, context.Canceled) {
		c.Logger.Error("an API answer could not be read", "error", err)
	}
	return err
}

// runsQuery is how a list of runs is narrowed.
type runsQuery struct {
	Incident string    `query:"incident"`
	State    string    `query:"state" doc:"running, waiting or done"`
	Outcome  string    `query:"outcome" doc:"contained, false_alarm, stopped, failed, cancelled or joined"`
	Provider string    `query:"provider"`
	Text     string    `query:"text" doc:"part of an id, playbook, key or owner"`
	Since    time.Time `query:"since" doc:"started at or after"`
	Until    time.Time `query:"until" doc:"started before"`
	Before   string    `query:"before" doc:"id of the last run of the page before"`
}

func (c *Console) apiRuns(ctx context.Context, _ api.Caller, q runsQuery) (api.Page[incident.Run], error) {
	f := database.Filter{Incident: q.Incident, State: q.State, Outcome: q.Outcome, Provider: q.Provider, Text: q.Text, Since: q.Since, Until: q.Until, Before: q.Before, Limit: perPage}
	runs, err := c.DB.Runs(ctx, f)
	if err != nil {
		return api.Page[incident.Run]{}, c.apiFault(err)
	}
	return paged(runs, func(r incident.Run) string { return r.ID }), nil
}

// paged is a list of at most perPage; one that is full says where the next begins.
func paged[T any](items []T, id func(T) string) api.Page[T] {
	next := ""
	if len(items) == perPage {
		next = id(items[perPage-1])
	}
	return api.List(items, next)
}

// byID is all that many endpoints need.
type byID struct {
	ID string `path:"id"`
}

func (c *Console) apiRun(ctx context.Context, who api.Caller, in byID) (report.Facts, error) {
	f, err := report.Load(ctx, c.DB, in.ID)
	if err != nil {
		return report.Facts{}, c.apiFault(err)
	}
	trim(f, who.Detail)
	return *f, nil
}

// trim takes out what only roles with the right to details see: what calls were given and gave back, and the bodies of entries.
func trim(f *report.Facts, detail bool) {
	if detail {
		return
	}
	for i := range f.Steps {
		f.Steps[i].Inputs, f.Steps[i].Outputs = nil, nil
	}
	for i := range f.Calls {
		f.Calls[i].Receipt = nil
	}
	for i := range f.Timeline {
		f.Timeline[i].Body = ""
	}
	for _, list := range [][]database.UndoRow{f.InForce, f.Undone, f.Used} {
		for i := range list {
			list[i].Before, list[i].Left = nil, nil
		}
	}
}

// signoffsQuery narrows sign-offs and questions.
type signoffsQuery struct {
	Run    string `query:"run"`
	State  string `query:"state" doc:"open: only those that wait for people"`
	Before string `query:"before" doc:"id of the last one of the page before"`
}

func (q signoffsQuery) filter() database.AskedFilter {
	return database.AskedFilter{Run: q.Run, Open: q.State == signoff.StateOpen, Before: q.Before, Limit: perPage}
}

func (c *Console) apiSignoffs(ctx context.Context, _ api.Caller, q signoffsQuery) (api.Page[signoff.View], error) {
	views, err := c.DB.RequestsPage(ctx, q.filter())
	if err != nil {
		return api.Page[signoff.View]{}, c.apiFault(err)
	}
	return paged(views, func(v signoff.View) string { return v.Request }), nil
}

// signoffOut is one sign-off.
type signoffOut struct {
	View     signoff.View       `json:"view"`
	Attempts []database.Attempt `json:"attempts"`
}

func (c *Console) apiSignoff(ctx context.Context, _ api.Caller, in byID) (out signoffOut, err error) {
	if out.View, err = c.DB.Request(ctx, in.ID); err != nil {
		return out, c.apiFault(err)
	}
	if out.Attempts, err = c.DB.Attempts(ctx, out.View.Request); err != nil {
		return out, c.apiFault(err)
	}
	return out, nil
}

// alertItem is an alert with what became of it.
type alertItem struct {
	incident.Alert
	Fate database.Fate `json:"fate"`
}

// alertsQuery narrows the alerts and asks for the page after an id.
type alertsQuery struct {
	Fate   string `query:"fate" doc:"stored, started, joined, recorded, suppressed or set_aside"`
	Before string `query:"before" doc:"id of the last one of the page before"`
}

func (c *Console) apiAlerts(ctx context.Context, _ api.Caller, q alertsQuery) (api.Page[alertItem], error) {
	list, err := c.DB.AlertsOfFate(ctx, q.Fate, perPage, q.Before)
	if err != nil {
		return api.Page[alertItem]{}, c.apiFault(err)
	}
	items := make([]alertItem, 0, len(list))
	for _, a := range list {
		items = append(items, alertItem{a.Alert, a.Fate})
	}
	return paged(items, func(a alertItem) string { return a.ID }), nil
}
