package lookout

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/time/rate"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/inventory"
	"github.com/tourniquet-ir/tourniquet/internal/prices"
	"github.com/tourniquet-ir/tourniquet/internal/watch"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
)

// Records are our own; *database.DB is one.
type Records interface {
	Watched(ctx context.Context, key string) (record, state json.RawMessage, err error)
	PutWatched(ctx context.Context, key string, record, state json.RawMessage) error
	WatchedKeys(ctx context.Context) ([]string, error)
	StoreAlert(ctx context.Context, f incident.Finding, a incident.Alert, aliases []database.Alias) (database.Stored, error)
	AlertFate(ctx context.Context, id string) (database.Fate, error)
	AlertsOf(ctx context.Context, incident string) ([]database.Received, error)
	Finding(ctx context.Context, alert string) (incident.Finding, error)
	Run(ctx context.Context, id string) (incident.Run, error)
	Setting(ctx context.Context, name string) (value string, found bool, err error)
	PutSetting(ctx context.Context, name, value string) error
}

// Account is one configured account of a provider.
type Account struct {
	Name string
	keys.Provider
}

// Options of a lookout.
type Options struct {
	Records  Records
	Accounts []Account
	Known    []inventory.Entry
	Prices   *prices.Table
	Wake     func()        // tells the dispatcher that there is an alert
	Blind    time.Duration // without a good answer for so long, a key is an alert of its own
	PerSec   float64       // calls a second that one account is asked
	Width    time.Duration // 0: the provider's own
	Meter    Meter         // nil: nothing is counted
	Log      *slog.Logger
	Now      func() time.Time
}

// Meter counts what sweeps find.
type Meter interface {
	Swept(provider, account string, seen, failing, blind, alarms int, at time.Time)
}

// Lookout watches.
type Lookout struct {
	Options
	limits map[string]*rate.Limiter
}

// New is a lookout.
func New(o Options) *Lookout {
	l := &Lookout{Options: o, limits: map[string]*rate.Limiter{}}
	for _, a := range o.Accounts {
		l.limits[a.Provider.Name()+":"+a.Name] = rate.NewLimiter(rate.Limit(o.PerSec), 1)
	}
	return l
}

// Record is what is kept of one key beside its baseline.
type Record struct {
	Key        incident.Key `json:"key"`
	Identified time.Time    `json:"identified,omitzero"` // when its provider was asked for it
	Last       time.Time    `json:"last,omitzero"`       // poll
	Good       time.Time    `json:"good,omitzero"`       // poll that was answered
	Next       time.Time    `json:"next,omitzero"`       // not asked before
	Newest     time.Time    `json:"newest,omitzero"`     // end of the newest bucket with use
	Failures   int          `json:"failures,omitempty"`  // in a row
	Error      string       `json:"error,omitempty"`
	BlindAlert string       `json:"blind_alert,omitempty"` // while it is blind
	Alert      string       `json:"alert,omitempty"`       // the last one
	Why        string       `json:"why,omitempty"`         // the last alarm, in a sentence
	Basis      string       `json:"basis,omitempty"`       // where the dollars come from
	Oddities   []string     `json:"oddities,omitempty"`    // what was not believed in the last answer
}

// Sweep polls every known key of one account. A key that cannot be read does not hold up the others. Beat is called before
// each key.
func (l *Lookout) Sweep(ctx context.Context, provider, account string, beat func()) (wire.Swept, error) {
	var out wire.Swept
	a, ok := l.account(provider, account)
	if !ok {
		return out, fmt.Errorf("no account %q of provider %q is configured", account, provider)
	}
	health := Health{Provider: provider, Account: account}
	for _, e := range l.Known {
		if e.Provider != provider || e.Account != "" && e.Account != account || e.ID == "" {
			continue
		}
		if beat(); ctx.Err() != nil {
			return out, ctx.Err()
		}
		rec, err := l.one(ctx, a, e, &out)
		if err != nil {
			return out, err
		}
		health.note(e, rec)
	}
	return out, l.keepHealth(ctx, health, out.Alarms)
}

func (l *Lookout) account(provider, name string) (Account, bool) {
	for _, a := range l.Accounts {
		if a.Provider.Name() == provider && a.Name == name {
			return a, true
		}
	}
	return Account{}, false
}

// one polls one key and keeps what came of it. Only our own records failing is an error.
func (l *Lookout) one(ctx context.Context, a Account, e inventory.Entry, out *wire.Swept) (*Record, error) {
	target := e.Provider + ":" + a.Name + ":" + e.ID
	rec, state, err := l.load(ctx, target, a.Provider.Name())
	if err != nil {
		return nil, err
	}
	now := l.Now().UTC()
	if now.Before(rec.Next) {
		out.Waiting++
		return rec, nil
	}
	rec.Last = now
	alarm, err := l.poll(ctx, a, e, rec, state, now)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		out.Failed++
		err = l.failed(ctx, rec, target, now, err)
	default:
		out.Polled++
		rec.Good, rec.Next, rec.Failures, rec.Error, rec.BlindAlert = now, time.Time{}, 0, "", ""
		if alarm != nil {
			out.Alarms++
			err = l.raise(ctx, rec, state, *alarm, now)
		}
	}
	if err != nil {
		return nil, err
	}
	return rec, l.save(ctx, target, rec, state)
}

func (l *Lookout) load(ctx context.Context, target, provider string) (*Record, *watch.State, error) {
	rec, state := &Record{}, watch.NewState(l.pace(provider).Width)
	rawRecord, rawState, err := l.Records.Watched(ctx, target)
	if err != nil || rawRecord == nil {
		return rec, state, err
	}
	if err := json.Unmarshal(rawRecord, rec); err != nil {
		return nil, nil, fmt.Errorf("the record of key %q cannot be read: %w", target, err)
	}
	kept := &watch.State{}
	if err := json.Unmarshal(rawState, kept); err != nil {
		return nil, nil, fmt.Errorf("the baseline of key %q cannot be read: %w", target, err)
	}
	if kept.Width == state.Width { // another width is another baseline
		state = kept
	}
	return rec, state, l.revoked(ctx, state)
}

func (l *Lookout) save(ctx context.Context, target string, rec *Record, state *watch.State) error {
	r, err := json.Marshal(rec)
	if err != nil {
		return err
	}
	s, err := json.Marshal(state)
	if err != nil {
		return err
	}
	return l.Records.PutWatched(ctx, target, r, s)
}
