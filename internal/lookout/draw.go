package lookout

import (
	"context"
	"slices"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/watch/chart"
)

// Drawable tells whether there is anything to draw: blindness has no hours.
func (f Finding) Drawable() bool { return len(f.Hours) >= 2 }

// SVG draws the hours before an alarm beside the usual ones, for a page.
func (f Finding) SVG() ([]byte, error) { return chart.SVG(f.points()) }

// PNG draws them for chat.
func (f Finding) PNG() ([]byte, error) { return chart.PNG(f.points()) }

func (f Finding) points() []chart.Point {
	points := make([]chart.Point, 0, len(f.Hours))
	for _, h := range f.Hours {
		points = append(points, chart.Point{At: h.At, USD: h.USD, Usual: h.Usual})
	}
	return points
}

// Alerts is what is asked of the records to find an alarm again.
type Alerts interface {
	AlertsOf(ctx context.Context, incidentID string) ([]database.Received, error)
	Finding(ctx context.Context, alertID string) (incident.Finding, error)
}

// LastAlarm is the newest alarm of the watch about an incident; without one its Alarm is nil.
func LastAlarm(ctx context.Context, records Alerts, incidentID string) (Finding, error) {
	alerts, err := records.AlertsOf(ctx, incidentID)
	if err != nil {
		return Finding{}, err
	}
	for _, a := range slices.Backward(alerts) {
		if a.Alert.Source != Source || a.Alert.Kind != incident.KindUsageAnomaly {
			continue
		}
		body, err := records.Finding(ctx, a.Alert.ID)
		if err != nil {
			return Finding{}, err
		}
		return Explain(body)
	}
	return Finding{}, nil
}

// Alarm is what the watch said before a run: its newest alarm in a sentence, and the chart of it as PNG. Both are empty where the
// run has no alarm of the watch.
func (l *Lookout) Alarm(ctx context.Context, run string) (why string, png []byte, err error) {
	r, err := l.Records.Run(ctx, run)
	if err != nil {
		return "", nil, err
	}
	found, err := LastAlarm(ctx, l.Records, r.Incident)
	if err != nil || found.Alarm == nil {
		return "", nil, err
	}
	if found.Drawable() {
		png, err = found.PNG()
	}
	return found.Alarm.Why, png, err
}
