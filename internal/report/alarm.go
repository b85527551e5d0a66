package report

import (
	"context"
	"encoding/base64"
	"html/template"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/lookout"
)

// Alarm is what the usage watch saw before the run.
type Alarm struct {
	Why   string       `json:"why"` // in a sentence
	Chart template.URL `json:"-"`   // the key's hours beside the usual ones, as an image of its own; empty where there is nothing to draw
}

// alarm reads what the watch said. What was said in a retired run is erased, and its finding with it.
func (f *Facts) alarm(ctx context.Context, db *database.DB) error {
	if !f.Retired.IsZero() {
		return nil
	}
	found, err := lookout.LastAlarm(ctx, db, f.Run.Incident)
	if err != nil || found.Alarm == nil {
		return err
	}
	f.Alarm = &Alarm{Why: found.Alarm.Why}
	if !found.Drawable() {
		return nil
	}
	svg, err := found.SVG()
	if err != nil {
		return err
	}
	f.Alarm.Chart = template.URL("data:image/svg+xml;base64," + base64.StdEncoding.EncodeToString(svg)) //nolint:gosec // drawn here, from numbers
	return nil
}
