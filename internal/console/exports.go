package console

import (
	"net/http"
	"reflect"

	"github.com/tourniquet-ir/tourniquet/internal/api"
	"github.com/tourniquet-ir/tourniquet/internal/people"
	"github.com/tourniquet-ir/tourniquet/internal/report"
)

type timelineIn struct {
	ID     string `path:"id"`
	Format string `query:"format" enum:"json,csv" doc:"csv: for spreadsheets; without it json"`
}

// timelineEndpoint answers in one of two ways, so it is put together by hand.
func (c *Console) timelineEndpoint() api.Endpoint {
	e := api.Raw("GET", "/v1/runs/{id}/timeline", "getTimeline", "The ledger of a run, in words", people.Look, []string{"text/csv"}, c.apiTimeline)
	e.Out = reflect.TypeFor[api.Page[report.Moment]]()
	return e
}

func (c *Console) apiTimeline(w http.ResponseWriter, r *http.Request, who api.Caller, in timelineIn) {
	f, err := report.Load(r.Context(), c.DB, in.ID)
	if err != nil {
		api.Refuse(w, c.apiFault(err))
		return
	}
	trim(f, who.Detail)
	if in.Format != "csv" {
		api.Send(w, http.StatusOK, api.List(f.Timeline, ""))
		return
	}
	body, err := f.CSV()
	if err != nil {
		api.Refuse(w, c.apiFault(err))
		return
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8; header=present")
	w.Header().Set("Content-Disposition", `attachment; filename="timeline.csv"`)
	_, _ = w.Write(body) // who went away does not need the rest
}

// apiReportSchema is what the JSON report looks like.
func (c *Console) apiReportSchema(w http.ResponseWriter, _ *http.Request, _ api.Caller, _ api.None) {
	w.Header().Set("Content-Type", "application/schema+json")
	_, _ = w.Write(report.SchemaFile()) // who went away does not need the rest
}
