package watch

import (
	"fmt"
	"time"
)

// Between is what the key cost in the buckets that begin in a stretch of time, in dollars. It reaches three days back.
func (s *State) Between(from, to time.Time) (usd float64) {
	for at, micro := range s.Recent {
		if at >= from.Unix() && at < to.Unix() {
			usd += float64(micro) / 1e6
		}
	}
	return usd
}

// revoked looks for use of a key that should be dead. The bucket in which it was revoked does not count.
func revoked(l look) *Alarm {
	if l.limits.RevokedAt.IsZero() {
		return nil
	}
	from := l.limits.RevokedAt.Truncate(l.state.Width.Std()).Add(l.state.Width.Std())
	usd := l.state.Between(from, l.end)
	if usd <= 0 {
		return nil
	}
	return &Alarm{Reason: "revoked", At: l.end, From: from, USD: usd, Sure: true,
		Why: fmt.Sprintf("This key was revoked at %s and has cost %.2f USD since.", l.limits.RevokedAt.UTC().Format(time.RFC3339), usd)}
}

// idle looks for use of a key that nobody should use.
func idle(l look) *Alarm {
	from := l.end.Add(-day)
	usd := l.state.Between(from, l.end)
	if !l.limits.Idle || usd <= 0 {
		return nil
	}
	return &Alarm{Reason: "idle", At: l.end, From: from, USD: usd, Sure: true,
		Why: fmt.Sprintf("The inventory says that nobody uses this key, and it cost %.2f USD in the last day.", usd)}
}

// overLimit holds the key against what the operator allows.
func overLimit(l look) *Alarm {
	for _, limit := range []struct {
		usd    float64
		length time.Duration
		word   string
	}{{l.limits.PerHour, time.Hour, "hour"}, {l.limits.PerDay, day, "day"}} {
		from := l.end.Add(-limit.length)
		if usd := l.state.Between(from, l.end); limit.usd > 0 && usd > limit.usd {
			return &Alarm{Reason: "limit", At: l.end, From: from, USD: usd, PerHour: usd / limit.length.Hours(),
				Why: fmt.Sprintf("This key cost %.2f USD in the last %s; the inventory allows %.2f USD.", usd, limit.word, limit.usd)}
		}
	}
	return nil
}
