package lookout

import (
	"context"

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

// Alarm is what the watch said before a run: its newest alarm in a sentence, and the chart of it as PNG. Both are empty where the
// run has no alarm of the watch.
func (l *Lookout) Alarm(ctx context.Context, run string) (why string, png []byte, err error) {
	r, err := l.Records.Run(ctx, run)
	if err != nil {
		return "", nil, err
	}
	alerts, err := l.Records.AlertsOf(ctx, r.Incident)
	if err != nil {
		return "", nil, err
	}
	for i := len(alerts) - 1; i >= 0; i-- {
		a := alerts[i].Alert
		if a.Source != Source || a.Kind != incident.KindUsageAnomaly {
			continue
		}
		body, err := l.Records.Finding(ctx, a.ID)
		if err != nil {
			return "", nil, err
		}
		found, err := Explain(body)
		if err != nil || found.Alarm == nil {
			return "", nil, err
		}
		if found.Drawable() {
			png, err = found.PNG()
		}
		return found.Alarm.Why, png, err
	}
	return "", nil, nil
}
