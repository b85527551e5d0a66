package main

import (
	"encoding/json"
	"math/rand/v2"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/watch"
)

// rule is something that looks at readings one after the other.
type rule interface {
	// poll says whether the newest bucket is alarming.
	poll(now time.Time, b watch.Row) bool
	clone() rule
	// forgive tells the rule that its alarm was false; plain rules cannot be told anything.
	forgive(now time.Time)
}

// ours is the product's rule.
type ours struct{ state *watch.State }

func (o *ours) poll(now time.Time, b watch.Row) bool {
	alarm, _ := o.state.Poll(now, []watch.Row{b}, watch.Limits{})
	return alarm != nil
}

func (o *ours) forgive(now time.Time) {
	o.state.Teach("alert-"+now.Format(time.RFC3339), "the bench", now)
}

// clone goes through JSON, as the state does between two polls in production.
func (o *ours) clone() rule {
	raw, err := json.Marshal(o.state)
	if err != nil {
		panic(err)
	}
	var s watch.State
	if err := json.Unmarshal(raw, &s); err != nil {
		panic(err)
	}
	return &ours{&s}
}

// theft is one kind of abuse: dollars an hour on top of the honest use.
type theft struct {
	name    string
	perHour float64
	lasts   time.Duration
}

// honestHour is what honest use costs in an average hour.
const honestHour = honestMonth / 720.0

// thefts are the published case and three that hide: the key's total becomes ten, three and twice the normal level.
var thefts = []theft{
	{"82,000 USD in 48 h", 82_000.0 / 48, 48 * time.Hour},
	{"10 times normal", 9 * honestHour, 7 * 24 * time.Hour},
	{"3 times normal", 2 * honestHour, 7 * 24 * time.Hour},
	{"2 times normal", honestHour, 7 * 24 * time.Hour},
}

// found is how one theft ended.
type found struct {
	ok    bool
	polls int // from the poll that first saw abuse
	usd   float64
}

// inject lets a theft begin at a random moment in the bucket at index i, and polls until the rule alarms or the theft is over.
func inject(r rule, s series, i int, t theft, dice *rand.Rand) found {
	begin := s.buckets[i].At.Add(time.Duration(dice.Int64N(int64(s.width))))
	end, polls, lost := begin.Add(t.lasts), 0, 0.0
	for ; i < len(s.buckets) && s.buckets[i].At.Before(end); i++ {
		b := s.buckets[i]
		stolen := t.perHour * overlap(b.At, b.At.Add(s.width), begin, end).Hours()
		lost += stolen
		b.Micro += int64(stolen * 1e6)
		polls++
		if r.poll(b.At.Add(s.width), b) {
			return found{true, polls, lost}
		}
	}
	return found{false, polls, lost}
}

func overlap(a1, a2, b1, b2 time.Time) time.Duration {
	if b1.After(a1) {
		a1 = b1
	}
	if b2.Before(a2) {
		a2 = b2
	}
	return max(0, a2.Sub(a1))
}
