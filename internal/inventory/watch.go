package inventory

import (
	"strconv"
	"time"

	"go.yaml.in/yaml/v3"
)

// Watch is what the operator tells the usage watch about a key.
type Watch struct {
	USDPerHour float64   `json:"usd_per_hour,omitempty"` // 0: no limit of its own
	USDPerDay  float64   `json:"usd_per_day,omitempty"`
	Idle       bool      `json:"idle,omitempty"` // nobody should use the key at all
	Revoked    time.Time `json:"revoked,omitzero"`
}

var watchFields = []string{"usd_per_hour", "usd_per_day", "idle", "revoked"}

// watch reads a key's "watch".
func (l *loader) watch(n *yaml.Node) (w Watch) {
	if n == nil {
		return w
	}
	f := l.fields(n, "\"watch\"", watchFields, nil)
	w.USDPerHour, w.USDPerDay = l.dollars(f["usd_per_hour"]), l.dollars(f["usd_per_day"])
	if v := f["idle"]; v != nil && (v.Tag != "!!bool" || v.Decode(&w.Idle) != nil) {
		l.fault(v, "", "\"idle\" is true or false")
	}
	if v := f["revoked"]; v != nil {
		at, err := time.Parse(time.RFC3339, v.Value)
		if err != nil {
			l.fault(v, "as 2026-11-25T08:00:00Z", "\"revoked\" is the time at which the key was revoked")
		}
		w.Revoked = at.UTC()
	}
	return w
}

func (l *loader) dollars(n *yaml.Node) float64 {
	if n == nil {
		return 0
	}
	v, err := strconv.ParseFloat(n.Value, 64)
	if err != nil || !(v > 0) || v > 1e9 {
		l.fault(n, "", "an amount in US dollars above zero is wanted here")
		return 0
	}
	return v
}
