package lookout

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/inventory"
)

// Health is how the last sweep over an account's keys ended.
type Health struct {
	Provider string    `json:"provider"`
	Account  string    `json:"account"`
	At       time.Time `json:"at"`
	Seen     int       `json:"seen"`
	Failing  int       `json:"failing"` // not readable, and asked less and less often
	Blind    int       `json:"blind"`   // not readable for so long that it is an alert
	Key      string    `json:"key,omitempty"`
	Error    string    `json:"error,omitempty"` // of the key that fails longest
	Next     time.Time `json:"next,omitzero"`   // when that key is asked again
	failures int
}

func (h *Health) note(e inventory.Entry, rec *Record) {
	switch {
	case rec.Failures == 0:
		h.Seen++
		return
	case rec.BlindAlert != "":
		h.Blind++
	default:
		h.Failing++
	}
	if rec.Failures > h.failures {
		h.failures, h.Key, h.Error, h.Next = rec.Failures, e.ID, rec.Error, rec.Next
	}
}

func (h *Health) String() string {
	all := h.Seen + h.Failing + h.Blind
	if h.Failing+h.Blind == 0 {
		return fmt.Sprintf("%d keys are read", all)
	}
	return fmt.Sprintf("%d of %d keys cannot be read, %d of them for so long that it is an alert; key %q is asked again at %s: %s",
		h.Failing+h.Blind, all, h.Blind, h.Key, h.Next.UTC().Format(time.RFC3339), h.Error)
}

func healthName(provider, account string) string { return "watch/health/" + provider + "/" + account }

func (l *Lookout) keepHealth(ctx context.Context, h Health, alarms int) error {
	h.At = l.Now().UTC()
	if l.Meter != nil {
		l.Meter.Swept(h.Provider, h.Account, h.Seen, h.Failing, h.Blind, alarms, h.At)
	}
	raw, err := json.Marshal(h)
	if err != nil {
		return err
	}
	return l.Records.PutSetting(ctx, healthName(h.Provider, h.Account), string(raw))
}

// ReadHealth is what the last sweep over an account's keys left; found is false before the first one.
func ReadHealth(ctx context.Context, db interface {
	Setting(ctx context.Context, name string) (value string, found bool, err error)
}, provider, account string) (h Health, found bool, err error) {
	raw, found, err := db.Setting(ctx, healthName(provider, account))
	if err != nil || !found {
		return h, false, err
	}
	return h, true, json.Unmarshal([]byte(raw), &h)
}
