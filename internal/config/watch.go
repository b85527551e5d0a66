package config

import (
	"fmt"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/prices"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

// Watch paces the usage watch over the keys of the inventory.
type Watch struct {
	Off        bool             `yaml:"off"`
	Every      signoff.Duration `yaml:"every"`       // between two sweeps of an account
	BlindAfter signoff.Duration `yaml:"blind_after"` // a key that cannot be read for so long is an alert itself
	PerSecond  float64          `yaml:"per_second"`  // calls that one account is asked in a second
	Width      signoff.Duration `yaml:"width"`       // of one bucket; 0: as fine as the provider counts
	Prices     []prices.Block   `yaml:"prices"`      // figures of your own; they go before the shipped ones
}

func defaultWatch() Watch {
	return Watch{Every: signoff.Duration(5 * time.Minute), BlindAfter: signoff.Duration(30 * time.Minute), PerSecond: 2}
}

func (w Watch) check() (faults []error) {
	add := func(bad bool, format string, args ...any) {
		if bad {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	every, width := time.Duration(w.Every), time.Duration(w.Width)
	add(every < time.Second || every > 24*time.Hour, "watch.every: %s is not between a second and a day", every)
	add(time.Duration(w.BlindAfter) < every, "watch.blind_after: %s is shorter than watch.every, so that every pause would be blindness", time.Duration(w.BlindAfter))
	add(!(w.PerSecond > 0) || w.PerSecond > 100, "watch.per_second: %v is not between 0 and 100", w.PerSecond)
	add(width != 0 && (width < time.Second || time.Hour%width != 0), "watch.width: %s does not divide an hour", width)
	if _, err := prices.New(w.Prices...); err != nil {
		faults = append(faults, fmt.Errorf("watch.%w", err))
	}
	return faults
}
