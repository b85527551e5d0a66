package console

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/report"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

// Preview is the page of one sign-off as it will be, made by the page's own template for a request that nobody has asked
// yet. Style and picture are put into it, so that the file can be opened alone.
func Preview(v signoff.View, a incident.Alert, now time.Time) ([]byte, error) {
	pages, err := parsePages(func() time.Time { return now })
	if err != nil {
		return nil, err
	}
	d := signoffData{Signoff: report.Signoff{View: v}, Run: report.Facts{
		Run: incident.Run{ID: v.Envelope.Run, Incident: v.Envelope.Incident, Playbook: v.Envelope.Playbook}, Alerts: []database.Received{{Alert: a}},
	}}
	var out bytes.Buffer
	f := frame{Title: v.Title, Page: "signoff", Drill: v.Envelope.World == incident.WorldDrill, Viewer: true, Now: now, Data: d}
	if err := pages["signoff"].ExecuteTemplate(&out, "layout.html", f); err != nil {
		return nil, fmt.Errorf("the page could not be made: %w", err)
	}
	style, err := staticFiles.ReadFile("static/console.css")
	if err != nil {
		return nil, err
	}
	page := bytes.Replace(out.Bytes(), []byte(`<link rel="stylesheet" href="/static/console.css">`), append(append([]byte("<style>"), style...), "</style>"...), 1)
	page = bytes.Replace(page, []byte(`<script src="/static/console.js" defer></script>`), nil, 1)
	mark, err := staticFiles.ReadFile("static/mark.svg")
	if err != nil {
		return nil, err
	}
	page = bytes.ReplaceAll(page, []byte(`"/static/mark.svg"`), []byte(`"data:image/svg+xml;base64,`+base64.StdEncoding.EncodeToString(mark)+`"`))
	return report.Neutral(page), nil
}
