package keys

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// Total is what rows that differ only in time add up to: one line of the table that people, reports and expressions read.
type Total struct {
	Model    string    `json:"model,omitempty"`
	Method   string    `json:"method,omitempty"`
	Region   string    `json:"region,omitempty"`
	Address  string    `json:"address,omitempty"`
	Agent    string    `json:"agent,omitempty"`
	Code     string    `json:"code,omitempty"`
	Probing  bool      `json:"probing,omitempty"`
	Requests int64     `json:"requests"`
	Tokens   int64     `json:"tokens"`
	MicroUSD int64     `json:"micro_usd"`
	First    time.Time `json:"first"` // start of the first and of the last bucket in which it was seen
	Last     time.Time `json:"last"`
}

// Totals sums rows up, what cost most first.
func Totals(rows []UsageRow) []Total {
	sums := map[UsageRow]*Total{}
	for _, r := range rows {
		kind := UsageRow{Model: r.Model, Method: r.Method, Region: r.Region, Address: r.Address, Agent: r.Agent, Code: r.Code, Probing: r.Probing}
		t := sums[kind]
		if t == nil {
			t = &Total{Model: r.Model, Method: r.Method, Region: r.Region, Address: r.Address, Agent: r.Agent, Code: r.Code, Probing: r.Probing, First: r.At, Last: r.At}
			sums[kind] = t
		}
		t.Requests, t.Tokens, t.MicroUSD = t.Requests+r.Requests, t.Tokens+r.Tokens, t.MicroUSD+r.MicroUSD
		if r.At.Before(t.First) {
			t.First = r.At
		}
		if r.At.After(t.Last) {
			t.Last = r.At
		}
	}
	out := make([]Total, 0, len(sums))
	for _, t := range sums {
		out = append(out, *t)
	}
	slices.SortFunc(out, func(a, b Total) int {
		return cmp.Or(cmp.Compare(b.MicroUSD, a.MicroUSD), cmp.Compare(b.Tokens, a.Tokens), cmp.Compare(b.Requests, a.Requests), a.First.Compare(b.First),
			cmp.Compare(a.Method, b.Method), cmp.Compare(a.Model, b.Model), cmp.Compare(a.Region, b.Region), cmp.Compare(a.Address, b.Address),
			cmp.Compare(a.Agent, b.Agent), cmp.Compare(a.Code, b.Code))
	})
	return out
}

// BurnPerHour is the money that the theft cost in an hour while it went on, in millionths of a dollar: from the first
// abuse (without one: from the first use) to the last bucket in which the key was used, or to until where that is
// earlier. Money that a provider tells as one sum is shared out by tokens, else by calls. Known is false where nobody
// can say.
func (u Usage) BurnPerHour(until time.Time) (micro int64, known bool) {
	begin, end := u.span(until)
	if !u.CostKnown || end.IsZero() {
		return 0, false
	}
	all, part := 0.0, 0.0
	weigh := u.weight()
	for _, r := range u.Rows {
		w := float64(weigh(r))
		all += w
		if r.end().After(begin) {
			part += w
		}
	}
	if all <= 0 {
		return 0, false
	}
	perHour := float64(u.MicroUSD) * part / all / max(end.Sub(begin), time.Minute).Hours()
	if math.IsNaN(perHour) || math.Abs(perHour) > math.MaxInt64/2 {
		return 0, false
	}
	return int64(math.Round(perHour)), true
}

func (r UsageRow) end() time.Time { return r.At.Add(time.Duration(r.Seconds) * time.Second) }

// span is the time of the theft; its end is zero where rows do not say for how long they stand.
func (u Usage) span(until time.Time) (begin, end time.Time) {
	begin = u.FirstAbuse
	for _, r := range u.Rows {
		if r.Seconds <= 0 {
			return begin, time.Time{}
		}
		if u.FirstAbuse.IsZero() && (begin.IsZero() || r.At.Before(begin)) {
			begin = r.At
		}
		if r.end().After(end) {
			end = r.end()
		}
	}
	if end.After(until) {
		end = until
	}
	return begin, end
}

// Window is a stretch of time that a report is asked for in buckets of one width.
type Window struct {
	From, To time.Time
	Width    time.Duration // a minute or an hour
}

// Windows cuts a stretch of time for providers that count by minutes and by hours: minutes tell when a theft began, and
// whole days of them are more than anybody reads. The last day is minutes, what lies before it hours.
func Windows(since, until time.Time) []Window {
	day := until.Add(-24 * time.Hour).Truncate(time.Hour)
	if !since.Before(day) {
		return []Window{{since, until, time.Minute}}
	}
	return []Window{{since, day, time.Hour}, {day, until, time.Minute}}
}

// weight is by what the money is shared out: itself where rows have their price.
func (u Usage) weight() func(UsageRow) int64 {
	for _, by := range []func(UsageRow) int64{
		func(r UsageRow) int64 { return r.MicroUSD }, func(r UsageRow) int64 { return r.Tokens }, func(r UsageRow) int64 { return r.Requests },
	} {
		if slices.ContainsFunc(u.Rows, func(r UsageRow) bool { return by(r) > 0 }) {
			return by
		}
	}
	return func(UsageRow) int64 { return 0 }
}
