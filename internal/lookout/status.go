package lookout

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/watch"
)

// Status is what people see of one watched key.
type Status struct {
	Key string `json:"key"`
	Record
	Age     string         `json:"age"`               // how much history the baseline holds
	Usual   *float64       `json:"usual_usd_an_hour"` // for this hour of the week; null while unknown
	Now     float64        `json:"usd_last_hour"`
	Lessons []watch.Lesson `json:"lessons"`
}

// Statuses of every key that was ever polled, by name.
func (l *Lookout) Statuses(ctx context.Context) ([]Status, error) {
	names, err := l.Records.WatchedKeys(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]Status, 0, len(names))
	for _, name := range names {
		rec, state, err := l.load(ctx, name, keyOf(name).Provider)
		if err != nil {
			return nil, err
		}
		now := l.Now().UTC()
		s := Status{Key: name, Record: *rec, Age: state.Age(now).Truncate(time.Hour).String(), Lessons: state.Lessons, Now: state.Between(now.Add(-time.Hour), now)}
		if usual, known := state.Usual(now); known {
			usd := usual / 1e6
			s.Usual = &usd
		}
		out = append(out, s)
	}
	return out, nil
}

// Forget revokes the lesson of an alert. It is a note that every look at the baseline reads, because a sweep may be writing
// the baseline in this very moment.
func (l *Lookout) Forget(ctx context.Context, alert, by string) error {
	all, err := l.Statuses(ctx)
	if err != nil {
		return err
	}
	for _, s := range all {
		for _, lesson := range s.Lessons {
			if lesson.Alert == alert && !lesson.Revoked {
				return l.Records.PutSetting(ctx, forgotten+alert, by+" at "+l.Now().UTC().Format(time.RFC3339))
			}
		}
	}
	return fmt.Errorf("no lesson was learned from the alert %q, or it was revoked already", alert)
}

// forgotten is before the id of an alert in the name of the setting that revokes its lesson.
const forgotten = "watch/forgotten/"

func (l *Lookout) revoked(ctx context.Context, state *watch.State) error {
	for _, lesson := range state.Lessons {
		if lesson.Revoked {
			continue
		}
		_, found, err := l.Records.Setting(ctx, forgotten+lesson.Alert)
		if err != nil {
			return err
		}
		if found {
			state.Revoke(lesson.Alert)
		}
	}
	return nil
}

// Explain reads the finding of one of our own alerts.
func Explain(f incident.Finding) (Finding, error) {
	var out Finding
	if err := json.Unmarshal(f.Body, &out); err != nil || out.Key == "" {
		return out, fmt.Errorf("this alert does not come from the watch")
	}
	return out, nil
}

// keyOf takes provider:account:id apart.
func keyOf(target string) incident.Key {
	provider, rest, _ := strings.Cut(target, ":")
	account, id, _ := strings.Cut(rest, ":")
	return incident.Key{Provider: provider, Account: account, ID: id}
}
