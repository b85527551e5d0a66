package console_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/lookout"
	"github.com/tourniquet-ir/tourniquet/internal/report/reporttest"
	"github.com/tourniquet-ir/tourniquet/internal/watch"
)

// watchAlert stores an alert as the watch does.
func (w *world) watchAlert() string {
	w.t.Helper()
	at := reporttest.Start()
	f := lookout.Finding{Key: "gemini:shop:k1", Alarm: &watch.Alarm{Reason: "surge", Why: "It cost too much.", At: at}}
	for i := range 72 {
		f.Hours = append(f.Hours, lookout.Hour{At: at.Add(time.Duration(i-72) * time.Hour), USD: float64(i), Usual: 1})
	}
	body, err := json.Marshal(f)
	if err != nil {
		w.t.Fatal(err)
	}
	got, err := w.db.StoreAlert(w.t.Context(), incident.Finding{Body: body}, incident.Alert{Source: lookout.Source, Kind: incident.KindUsageAnomaly, ObservedAt: at},
		[]database.Alias{{Provider: "gemini", Kind: database.AliasID, Value: "shop/k1"}})
	if err != nil {
		w.t.Fatal(err)
	}
	return got.AlertID
}

func TestAnAlertOfTheWatchIsDrawnForThoseWhoSignedInOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	path := "/alerts/" + w.watchAlert() + "/burn.svg"
	if res, body := w.stranger().do("GET", path, nil); res.StatusCode == http.StatusOK || strings.Contains(body, "<svg") {
		t.Errorf("a stranger gets %d", res.StatusCode)
	}
	res, body := w.signedIn().do("GET", path, nil)
	if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "image/svg+xml" || !strings.Contains(body, "<svg") {
		t.Errorf("it answers %d as %q", res.StatusCode, res.Header.Get("Content-Type"))
	}
}

func TestWhatTheWatchDidNotRaiseIsNotDrawn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	all, err := w.db.Alerts(t.Context(), 1, "")
	if err != nil || len(all) == 0 {
		t.Fatal("the story has no alert", err)
	}
	for _, id := range []string{all[0].Alert.ID, "al-unknown"} {
		if res, body := w.signedIn().do("GET", "/alerts/"+id+"/burn.svg", nil); res.StatusCode != http.StatusNotFound || strings.Contains(body, "<svg") {
			t.Errorf("%s answers %d", id, res.StatusCode)
		}
	}
}
