package report_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/lookout"
	"github.com/tourniquet-ir/tourniquet/internal/report"
	"github.com/tourniquet-ir/tourniquet/internal/report/reporttest"
	"github.com/tourniquet-ir/tourniquet/internal/watch"
)

// watched is a run that the watch started, with what the watch's alert holds.
func watched(t *testing.T, body []byte) *report.Facts {
	t.Helper()
	db, ctx := reporttest.DB(t), context.Background()
	stored, err := db.StoreAlert(ctx, incident.Finding{Body: body}, incident.Alert{
		Source: lookout.Source, Trust: incident.TrustAct, Kind: incident.KindUsageAnomaly, Severity: "high", Title: "It burns", Fingerprint: "1",
		ObservedAt: reporttest.Start(), ReceivedAt: reporttest.Start(),
	}, nil)
	if err == nil {
		err = db.PutRun(ctx, incident.Run{ID: "run-w", Incident: stored.IncidentID, Number: 1, AlertID: stored.AlertID, State: "running", StartedAt: reporttest.Start()})
	}
	if err != nil {
		t.Fatal(err)
	}
	f, err := report.Load(ctx, db, "run-w")
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestTheReportShowsWhatTheWatchSaw(t *testing.T) {
	t.Parallel()
	found := lookout.Finding{Key: "gemini:acme:k1", Alarm: &watch.Alarm{Why: "In the last hour this key cost 3.58 USD; <b>0.22</b> are usual."}}
	for i := range 30 {
		found.Hours = append(found.Hours, lookout.Hour{At: reporttest.Start().Add(time.Duration(i) * time.Hour), USD: float64(i), Usual: 1})
	}
	body, err := json.Marshal(found)
	if err != nil {
		t.Fatal(err)
	}
	f := watched(t, body)
	page, err := f.HTML()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"What the watch saw", "cost 3.58 USD; &lt;b&gt;0.22&lt;/b&gt; are usual", `<img src="data:image/svg&#43;xml;base64,`} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if md := string(f.Markdown()); !strings.Contains(md, "## What the watch saw") || !strings.Contains(md, "cost 3.58 USD") {
		t.Error("the Markdown does not tell it")
	}
	if !strings.Contains(report.Policy(), "img-src data:;") || strings.Contains(report.Policy(), "unsafe") {
		t.Errorf("served under %s", report.Policy())
	}
}

func TestAReportOfARunThatNobodyWatchedHasNoAlarm(t *testing.T) {
	t.Parallel()
	db := reporttest.DB(t)
	reporttest.Fill(t, db)
	if f, err := report.Load(t.Context(), db, reporttest.RunID); err != nil || f.Alarm != nil {
		t.Errorf("%+v, %v", f.Alarm, err)
	}
}
