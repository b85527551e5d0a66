package lookout

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/watch"
)

// Source is the name under which our own alerts come. It acts: nobody outside can make it speak.
const Source = "watch"

// Finding is what the watch found, in its own words; it is kept as every source's finding is.
type Finding struct {
	Key      string       `json:"key"` // provider:account:id
	Alarm    *watch.Alarm `json:"alarm,omitempty"`
	Blind    *Blindness   `json:"blind,omitempty"`
	Basis    string       `json:"basis,omitempty"` // where the dollars come from
	Hours    []Hour       `json:"hours,omitempty"` // the last three days, oldest first
	Oddities []string     `json:"oddities,omitempty"`
}

// Hour is one point of an alarm's chart, in dollars.
type Hour struct {
	At    time.Time `json:"at"`
	USD   float64   `json:"usd"`
	Usual float64   `json:"usual"`
}

// Blindness is how long a key could not be seen, and why.
type Blindness struct {
	Since    time.Time `json:"since"`
	Failures int       `json:"failures"`
	Error    string    `json:"error"`
}

// raise makes an alert of an alarm. Within an hour the same alarm is the same alert; while the incident is open, later ones
// join it, because they name the same key.
func (l *Lookout) raise(ctx context.Context, rec *Record, state *watch.State, alarm watch.Alarm, now time.Time) error {
	severity := "medium" // a question first
	if alarm.Sure {
		severity = "critical"
	}
	id, err := l.store(ctx, rec.Key, incident.Alert{
		Kind: incident.KindUsageAnomaly, Severity: severity, Title: alarm.Why, ObservedAt: alarm.From,
		Fingerprint: fmt.Sprintf("%s|%s|%s|%s", rec.Key.Target(), alarm.Reason, alarm.Window, alarm.At.Truncate(time.Hour).Format(time.RFC3339)),
	}, Finding{Key: rec.Key.Target(), Alarm: &alarm, Basis: rec.Basis, Hours: Hours(state, alarm.At), Oddities: rec.Oddities}, now)
	if err != nil {
		return err
	}
	rec.Alert, rec.Why = id, alarm.Why
	state.SetApart(id, alarm.From)
	return nil
}

// store keeps finding and alert as the door does, and wakes the dispatcher.
func (l *Lookout) store(ctx context.Context, k incident.Key, a incident.Alert, f Finding, now time.Time) (string, error) {
	body, err := json.Marshal(f)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(body)
	digest := "sha256:" + hex.EncodeToString(sum[:])
	a.Source, a.Trust, a.ReceivedAt, a.FindingDigest = Source, incident.TrustAct, now, digest
	a.Key = incident.Clue{Provider: k.Provider, Account: k.Account, ID: k.ID, Hint: k.Hint}
	var aliases []database.Alias
	if a.Kind == incident.KindUsageAnomaly { // blindness is no attack: it must not join one
		aliases = []database.Alias{{Provider: k.Provider, Kind: database.AliasID, Value: k.Account + "/" + k.ID}}
	}
	got, err := l.Records.StoreAlert(ctx, incident.Finding{Body: body, Headers: map[string]string{}, DigestReceived: digest, DigestStored: digest}, a, aliases)
	if err == nil && !got.Duplicate {
		l.Wake()
	}
	return got.AlertID, err
}

// Hours are the points of a chart: what each hour cost and what is usual for it.
func Hours(s *watch.State, end time.Time) (out []Hour) {
	for at := end.Add(-72 * time.Hour).Truncate(time.Hour); at.Before(end); at = at.Add(time.Hour) {
		usual, _ := s.Usual(at)
		out = append(out, Hour{at, s.Between(at, at.Add(time.Hour)), usual / 1e6})
	}
	return out
}

// failed backs off and, after a time, makes an alert of the blindness itself.
func (l *Lookout) failed(ctx context.Context, rec *Record, target string, now time.Time, cause error) error {
	rec.Failures++
	rec.Error = cause.Error()
	rec.Next = now.Add(min(time.Minute<<min(rec.Failures-1, 6), time.Hour))
	if rec.Good.IsZero() && rec.Failures == 1 {
		rec.Good = now // blind since we first tried
	}
	l.Log.Warn("the use of a key could not be read", "key", target, "failures", rec.Failures, "error", cause)
	if rec.BlindAlert != "" || now.Sub(rec.Good) < l.Blind {
		return nil
	}
	k := rec.Key
	if k.ID == "" {
		k = keyOf(target)
	}
	since := rec.Good
	id, err := l.store(ctx, k, incident.Alert{
		Kind: incident.KindWatchBlind, Severity: "medium", ObservedAt: since,
		Title:       fmt.Sprintf("Nobody watches the key %s since %s: its provider did not tell what it costs.", target, since.Format(time.RFC3339)),
		Fingerprint: "blind|" + target + "|" + since.Format(time.RFC3339),
	}, Finding{Key: target, Blind: &Blindness{Since: since, Failures: rec.Failures, Error: rec.Error}}, now)
	rec.BlindAlert = id
	return err
}

// lessons learns from what became of earlier alarms: a false alarm teaches, anything else was abuse.
func (l *Lookout) lessons(ctx context.Context, state *watch.State, now time.Time) error {
	for _, span := range state.Open() {
		fate, err := l.Records.AlertFate(ctx, span.Alert)
		if err != nil {
			return err
		}
		switch fate.Fate {
		case incident.FateStarted, incident.FateJoined:
			run, err := l.Records.Run(ctx, fate.Run)
			if err != nil {
				return err
			}
			if run.State != "done" {
				continue
			}
			if run.Outcome == incident.OutcomeFalseAlarm {
				state.Teach(span.Alert, run.ID, now)
			} else {
				state.Close(span.Alert, now)
			}
		case incident.FateRecorded, incident.FateSuppressed, incident.FateSetAside:
			if now.Sub(span.From) > again { // nobody answers for it
				state.Close(span.Alert, now)
			}
		}
	}
	return nil
}
