package lookout

import (
	"context"
	"fmt"
	"time"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/inventory"
	"github.com/tourniquet-ir/tourniquet/internal/watch"
)

const (
	again    = 24 * time.Hour      // a key's own record is read again
	overlap  = 3 * time.Hour       // read anew at each poll, because providers rewrite
	lookBack = 42 * 24 * time.Hour // read once, when a key is seen for the first time
	answerIn = time.Minute         // one provider call
)

// poll asks the provider and the rule.
func (l *Lookout) poll(ctx context.Context, a Account, e inventory.Entry, rec *Record, state *watch.State, now time.Time) (*watch.Alarm, error) {
	ctx, cancel := context.WithTimeout(ctx, answerIn)
	defer cancel()
	if err := l.identify(ctx, a, e, rec, now); err != nil {
		return nil, err
	}
	if err := l.lessons(ctx, state, now); err != nil {
		return nil, err
	}
	pace := l.pace(a.Provider.Name())
	first := state.First.IsZero()
	since := now.Add(-overlap)
	if first {
		since = now.Add(-lookBack)
	} else if rec.Good.Add(-overlap).Before(since) {
		since = rec.Good.Add(-overlap)
	}
	if err := l.limits[a.Provider.Name()+":"+a.Name].Wait(ctx); err != nil {
		return nil, fmt.Errorf("the account is asked as often as it may be: %w", err)
	}
	u, err := a.Usage(ctx, rec.Key, since.Truncate(pace.Width), now)
	if err != nil {
		return nil, err
	}
	rows := l.rows(a.Provider.Name(), u, rec, pace, now)
	end := now.Add(-pace.Lag).Truncate(pace.Width)
	if first {
		return l.firstLook(state, rows, end, e, rec), nil
	}
	alarm, odd := state.Poll(now, append(zeros(since, end, pace.Width), rows...), limitsOf(e))
	rec.Oddities = odd
	return ripe(alarm, now), nil
}

// ripe holds back a doubtful alarm until its newest bucket is over: a theft that has just begun looks like an honest surge, and
// a few minutes later it does not.
func ripe(a *watch.Alarm, now time.Time) *watch.Alarm {
	if a != nil && !a.Sure && a.At.After(now) {
		return nil
	}
	return a
}

// firstLook lives through everything that the provider remembers. Old alarms are history; one in the newest bucket is a
// theft that is going on.
func (l *Lookout) firstLook(state *watch.State, rows []watch.Row, end time.Time, e inventory.Entry, rec *Record) *watch.Alarm {
	alarms, odd := state.Live(rows, end, limitsOf(e))
	rec.Oddities = odd[:min(len(odd), 20)]
	if n := len(alarms); n > 0 && alarms[n-1].At.Equal(end) {
		return &alarms[n-1]
	}
	return nil
}

// zeros are the buckets between two times: a provider says nothing about a bucket in which a key was not used.
func zeros(from, to time.Time, width time.Duration) (out []watch.Row) {
	for at := from.Truncate(width).Add(width); at.Before(to); at = at.Add(width) {
		out = append(out, watch.Row{At: at})
	}
	return out
}

func (l *Lookout) identify(ctx context.Context, a Account, e inventory.Entry, rec *Record, now time.Time) error {
	if rec.Key.ID != "" && now.Sub(rec.Identified) < again {
		return nil
	}
	found, err := a.Identify(ctx, incident.Clue{Provider: e.Provider, Account: a.Name, ID: e.ID}, nil)
	if err != nil {
		return err
	}
	if len(found) != 1 {
		return keys.Permanent(fmt.Errorf("the inventory's key %q fits %d keys at its provider; one is needed", e.ID, len(found)))
	}
	k := found[0]
	k.Provider, k.Account, k.Owner, k.Critical, k.Secret = e.Provider, a.Name, e.Owner, e.Critical, nil
	rec.Key, rec.Identified = k, now
	return nil
}

// rows turns a provider's answer into money. Where it gives tokens only, they are priced; where it gives neither, every
// call counts as a cent, so that calls are still compared with calls.
func (l *Lookout) rows(provider string, u keys.Usage, rec *Record, pace Pace, now time.Time) []watch.Row {
	rec.Basis = u.CostBasis
	var fine, coarse []watch.Row
	for _, r := range u.Rows {
		row := watch.Row{At: r.At, Micro: r.MicroUSD, Model: r.Model, Region: r.Region, Address: r.Address, Agent: r.Agent}
		switch {
		case r.MicroUSD != 0:
		case r.Tokens != 0:
			if p, ok := l.Prices.Of(provider, r.Model); ok {
				row.Micro, rec.Basis = p.Micro(0, r.Tokens), p.Basis+", every token as an output token"
			}
		case !u.CostKnown:
			row.Micro, rec.Basis = r.Requests*10_000, "unknown; every call counts as a cent"
		}
		if r.Requests > 0 && row.Micro == 0 && !isError(r.Code) && !u.CostKnown {
			row.Micro = r.Requests * 10_000
		}
		if pace.Fine > 0 && pace.Width < time.Hour && now.Sub(r.At) > pace.Fine {
			coarse = append(coarse, row)
		} else {
			fine = append(fine, row)
		}
		if end := r.At.Add(pace.Width); end.After(rec.Newest) {
			rec.Newest = end.UTC()
		}
	}
	return append(watch.Spread(coarse, pace.Width), fine...)
}

func isError(code string) bool { return code != "" && code[0] != '2' }

func limitsOf(e inventory.Entry) watch.Limits {
	return watch.Limits{PerHour: e.Watch.USDPerHour, PerDay: e.Watch.USDPerDay, Idle: e.Watch.Idle, RevokedAt: e.Watch.Revoked}
}
