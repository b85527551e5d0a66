package watch

import (
	"fmt"
	"time"
)

// Alarm is one reason to think that somebody else uses the key.
type Alarm struct {
	Reason  string    `json:"reason"` // surge, limit, idle, revoked, new_model, new_region, new_address or new_agent
	Why     string    `json:"why"`    // a sentence for people
	At      time.Time `json:"at"`     // end of the newest bucket
	From    time.Time `json:"from"`   // since when
	Window  string    `json:"window,omitempty"`
	USD     float64   `json:"usd"`            // spent since From
	Usual   float64   `json:"usual"`          // dollars that are usual for that time
	Times   float64   `json:"times"`          // the quotient, softened
	Highest float64   `json:"highest"`        // the highest honest quotient of the last sixty days
	PerHour float64   `json:"per_hour"`       // dollars an hour
	Sure    bool      `json:"sure,omitempty"` // so far outside that to contain without a question is right
}

// Limits is what the operator says about a key. The zero value says nothing.
type Limits struct {
	PerHour   float64   // dollars; 0: no limit
	PerDay    float64   // dollars; 0: no limit
	Idle      bool      // nobody should use it at all
	RevokedAt time.Time // it should be dead since then
}

// look is what the checks see.
type look struct {
	state  *State
	end    time.Time
	reads  [windows]reading
	peaks  [windows]float64
	limits Limits
}

// checks are asked in order; the first alarm is the one that people are told.
var checks = []func(look) *Alarm{revoked, idle, overLimit, surge, newHabit}

// Poll takes what a provider answered, looks, and then learns what has settled. Oddities are sentences about what in the
// answer was not believed. Before the state has any bucket nothing is looked at.
func (s *State) Poll(now time.Time, rows []Row, limits Limits) (alarm *Alarm, oddities []string) {
	s.habits(now, rows)
	oddities = s.take(now, rows)
	end, ok := s.newest()
	if !ok {
		return nil, oddities
	}
	l := look{s, end, s.read(end), s.peaks(end), limits}
	for _, check := range checks {
		if alarm = check(l); alarm != nil {
			break
		}
	}
	if alarm == nil {
		s.note(end, l.reads)
	}
	s.learn(now)
	s.forget(now)
	return alarm, oddities
}

// A young key is held against this rate, in dollars an hour, until it has a history.
const youngRate = 25

// An alarm is sure when the quotient is ten times the highest ever and an hour costs as much as a person's.
const (
	sureTimes   = 10
	surePerHour = 50
)

// surge is the main check.
func surge(l look) *Alarm {
	caution := l.state.caution()
	for w, win := range table(l.state.Width.Std()) {
		r := l.reads[w]
		rate := r.actual / 1e6 / win.length.Hours()
		a := Alarm{Reason: "surge", At: l.end, From: l.end.Add(-win.length), Window: win.name, USD: r.actual / 1e6, Usual: r.usual / 1e6,
			Times: r.quotient, Highest: l.peaks[w], PerHour: rate}
		switch {
		case r.covered < halfCovered:
		case caution == 0 && w <= 1 && rate >= youngRate:
			a.Sure = rate >= 2*surePerHour
			a.Why = fmt.Sprintf("This key is new here and has cost %.2f USD in the last %s, %.2f USD an hour; until it has a history, %d USD an hour is the limit.", a.USD, win.name, rate, youngRate)
			return &a
		case caution > 0 && r.quotient > win.margin*max(l.peaks[w], win.ordinary)*caution && a.USD-a.Usual >= win.usd:
			a.Sure = a.Times >= sureTimes*max(a.Highest, 1) && rate >= surePerHour
			a.Why = fmt.Sprintf("In the last %s this key cost %.2f USD; %.2f USD are usual for these hours. That is %.0f times as much; in sixty days it was never more than %.1f times.", win.name, a.USD, a.Usual, max(a.Times, 1), max(a.Highest, 1))
			return &a
		}
	}
	return nil
}

// caution is how much wider margins are while a key is young: 0 while nothing is known, then from 2 down to 1 in four weeks.
func (s *State) caution() float64 {
	days := len(s.Days)
	if days < infancy {
		return 0
	}
	return 1 + max(0, float64(28-days))/28
}
