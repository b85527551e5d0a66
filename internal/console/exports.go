package console

import (
	"net/http"

	"github.com/tourniquet-ir/tourniquet/internal/report"
)

// timelineCSV hands out the timeline for spreadsheets.
func (c *Console) timelineCSV(w http.ResponseWriter, f *report.Facts) {
	body, err := f.CSV()
	if err != nil {
		c.apiBroken(w, err)
		return
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8; header=present")
	w.Header().Set("Content-Disposition", `attachment; filename="timeline.csv"`)
	_, _ = w.Write(body) // who went away does not need the rest
}

// apiReportSchema is what the JSON report looks like.
func (c *Console) apiReportSchema(w http.ResponseWriter, _ *http.Request, _ session) {
	w.Header().Set("Content-Type", "application/schema+json")
	_, _ = w.Write(report.SchemaFile()) // who went away does not need the rest
}
