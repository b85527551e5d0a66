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
// abuse (without one: from the first use) to the last bucket in which the key was used. Money that a provider tells
// as one sum is shared out by tokens, else by calls. Known is false where nobody can say.
func (u Usage) BurnPerHour() (micro int64, known bool) {
	if !u.CostKnown || u.Bucket <= 0 || len(u.Rows) == 0 {
		return 0, false
	}
	begin, end := u.span()
	all, part := 0.0, 0.0
	weigh := u.weight()
	for _, r := range u.Rows {
		w := float64(weigh(r))
		all += w
		if !r.At.Before(begin) {
			part += w
		}
	}
	if all <= 0 {
		return 0, false
	}
	perHour := float64(u.MicroUSD) * part / all / end.Sub(begin).Hours()
	if math.IsNaN(perHour) || math.Abs(perHour) > math.MaxInt64/2 {
		return 0, false
	}
	return int64(math.Round(perHour)), true
}

// span is the time of the theft in whole buckets, one at least.
func (u Usage) span() (begin, end time.Time) {
	begin = u.FirstAbuse.Truncate(u.Bucket)
	for _, r := range u.Rows {
		at := r.At.Truncate(u.Bucket)
		if u.FirstAbuse.IsZero() && (begin.IsZero() || at.Before(begin)) {
			begin = at
		}
		if at = at.Add(u.Bucket); at.After(end) {
			end = at
		}
	}
	if !end.After(begin) {
		end = begin.Add(u.Bucket)
	}
	return begin, end
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
