package activities

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

// pictureWithin is the time for a chart on its way to chat: people wait for the card, not for its picture.
const pictureWithin = 5 * time.Second

// alarm is what the watch saw before a run, for the run's cards; nil where it saw nothing. The chart is given to chat once for each
// run. Whatever goes wrong with it is said in the log, and the card goes out without it.
func (h *House) alarm(ctx context.Context, run string) *signoff.Alarm {
	if h.Alarms == nil || h.Chat == nil {
		return nil
	}
	a, kept := h.keptAlarm(ctx, run)
	if kept {
		return a
	}
	why, png, err := h.Alarms(ctx, run)
	if err != nil {
		h.Log.Warn("the chart of an alarm is not on the card", "run", run, "error", err)
	}
	if why == "" {
		return nil
	}
	a = &signoff.Alarm{Why: why}
	if len(png) == 0 {
		return a
	}
	within, cancel := context.WithTimeout(ctx, pictureWithin)
	defer cancel()
	if a.Chart, err = h.Chat.Picture(within, "alarm-"+run+".png", png, why); err == nil {
		err = h.keepAlarm(ctx, run, *a)
	}
	if err != nil {
		a.Chart = ""
		h.Log.Warn("the chart of an alarm is not on the card", "run", run, "error", err)
	}
	return a
}

func alarmName(run string) string { return "alarm/" + run }

// keptAlarm is the alarm whose chart was given to chat.
func (h *House) keptAlarm(ctx context.Context, run string) (*signoff.Alarm, bool) {
	raw, found, err := h.DB.Setting(ctx, alarmName(run))
	if err != nil || !found {
		return nil, false
	}
	var a signoff.Alarm
	if json.Unmarshal([]byte(raw), &a) != nil {
		return nil, false
	}
	return &a, true
}

func (h *House) keepAlarm(ctx context.Context, run string, a signoff.Alarm) error {
	raw, err := json.Marshal(a)
	if err != nil {
		return fmt.Errorf("alarm of run %q: %w", run, err)
	}
	return h.DB.PutSetting(ctx, alarmName(run), string(raw))
}

// alarmed writes the alarm into a request that is about to be shown.
func (h *House) alarmed(ctx context.Context, run, request string) error {
	a := h.alarm(ctx, run)
	if a == nil {
		return nil
	}
	return h.DB.SetRequest(ctx, request, func(v *signoff.View) error {
		v.Alarm = a
		return nil
	})
}
