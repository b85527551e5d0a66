package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/lookout"
)

const mendWatch = "see: tourniquet watch status; docs/providers name the permission to read usage"

// sweepsMissed is how many sweeps may fail to come before doctor says that nobody watches.
const sweepsMissed = 3

// watchRecords says how the last sweeps ended, from our own records, while no serve runs.
func (e *examination) watchRecords(ctx context.Context, db *database.DB) {
	if e.s.Config.Watch.Off {
		return
	}
	list, err := accounts(e.s)
	if err != nil {
		return // said under providers
	}
	for _, a := range list {
		h, found, err := lookout.ReadHealth(ctx, db, a.Provider.Name(), a.Name)
		check := "watch " + a.Provider.Name() + " " + a.Name
		switch {
		case err != nil:
			e.fault(check, err, "look at the disk under the database")
		case !found: // nothing was swept yet
		case h.Blind > 0:
			e.fault(check, fmt.Errorf("%s", &h), mendWatch)
		case h.Failing > 0:
			e.note(check, mendWatch, "%s", &h)
		default:
			e.ok(check, "%s, last at %s", &h, stamp(h.At))
		}
	}
}

// swept is what the figures of a running serve say of one account.
type swept struct {
	seen, failing, blind float64
	at                   time.Time
}

// watching says how the watch of the running serve does.
func (e *examination) watching(ctx context.Context, base string) {
	if e.s.Config.Watch.Off {
		return
	}
	all := map[string]*swept{}
	err := within(ctx, func(ctx context.Context) error {
		return eachMetric(ctx, base, func(name string, value float64) { noteSweep(all, name, value) })
	})
	if err != nil {
		return // said under slack deliveries, or under running serve
	}
	for _, account := range slices.Sorted(maps.Keys(all)) {
		e.sweep("watch "+account, *all[account])
	}
}

func (e *examination) sweep(check string, s swept) {
	every := time.Duration(e.s.Config.Watch.Every)
	bad := fmt.Sprintf("%.0f of %.0f keys cannot be read and are asked less and less often, %.0f of them for so long that it is an alert", s.failing+s.blind, s.seen+s.failing+s.blind, s.blind)
	switch {
	case !s.at.IsZero() && time.Since(s.at) > sweepsMissed*every+time.Minute:
		e.fault(check, fmt.Errorf("no sweep has ended since %s, and there should be one every %s", stamp(s.at), every), "look at the log of the running serve and at the workflow engine")
	case s.blind > 0:
		e.fault(check, fmt.Errorf("%s", bad), mendWatch)
	case s.failing > 0:
		e.note(check, mendWatch, "%s", bad)
	default:
		e.ok(check, "%.0f keys are read, last at %s", s.seen, stamp(s.at))
	}
}

func noteSweep(all map[string]*swept, name string, value float64) {
	name, labels, ok := strings.Cut(name, "{")
	if !ok || !strings.HasPrefix(name, "tourniquet_watch_") {
		return
	}
	label := map[string]string{}
	for pair := range strings.SplitSeq(strings.TrimSuffix(labels, "}"), ",") {
		key, v, _ := strings.Cut(pair, "=")
		label[key] = strings.Trim(v, `"`)
	}
	account := label["provider"] + " " + label["account"]
	if all[account] == nil {
		all[account] = &swept{}
	}
	switch s := all[account]; {
	case name == "tourniquet_watch_last_sweep_timestamp_seconds":
		s.at = time.Unix(int64(value), 0)
	case label["state"] == "seen":
		s.seen = value
	case label["state"] == "failing":
		s.failing = value
	case label["state"] == "blind":
		s.blind = value
	}
}
