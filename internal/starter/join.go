package starter

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"go.temporal.io/api/serviceerror"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/gateway"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/intake"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
)

// mostTold bounds the alerts in one signal: Temporal takes payloads of 2 MiB and warns at 256 KiB.
const mostTold = 100

// Join tells the open run of an incident of several further alerts at once: a storm about one key is one wake-up. It implements
// intake.Joiner.
func (s *Starter) Join(ctx context.Context, list []database.Pending) (n int, fate, reason, runID string, err error) {
	run, open, err := s.DB.OpenRunOf(ctx, list[0].Incident)
	if err != nil || !open {
		return 0, "", "", "", intake.Unavailable(err)
	}
	list = list[:min(len(list), mostTold)]
	if i := slices.IndexFunc(list, func(p database.Pending) bool { return p.Alert.ID == run.AlertID }); i >= 0 {
		list = list[:i] // that one started the run, and is perhaps not finished starting it
	}
	if len(list) == 0 {
		return 0, "", "", "", nil
	}
	fate, reason, runID, err = s.join(ctx, run, list...)
	return len(list), fate, reason, runID, err
}

// manyTold is from how many alerts on a hand-over is one entry of the timeline that lists them, in place of one for each.
const manyTold = 10

// note puts alerts on the timeline of their run.
func (s *Starter) note(ctx context.Context, run, kind string, alerts ...database.Pending) error {
	return intake.Unavailable(s.DB.Append(ctx, run, s.entries(kind, alerts...)...))
}

// entries are what the timeline says of alerts. A storm costs its run a line for each hand-over, and the alerts themselves are kept
// each for itself; that something is over stands out also then.
func (s *Starter) entries(kind string, alerts ...database.Pending) (entries []database.Entry) {
	over := func(p database.Pending) bool { return p.Alert.Kind == incident.KindResolved }
	if storm := slices.DeleteFunc(slices.Clone(alerts), over); len(storm) >= manyTold {
		entries = append(entries, s.gathered(storm))
		alerts = slices.DeleteFunc(slices.Clone(alerts), func(p database.Pending) bool { return !over(p) })
	}
	for _, p := range alerts {
		a := p.Alert
		entries = append(entries, database.Entry{ID: "alert/" + a.ID, Kind: kind, Actor: a.Source, At: s.Now(), Body: map[string]any{
			"alert": a.ID, "source": a.Source, "trust": a.Trust, "alert_kind": a.Kind, "severity": a.Severity, "title": a.Title, "finding_digest": a.FindingDigest,
		}})
	}
	return entries
}

// gathered is one entry for many alerts.
func (s *Starter) gathered(storm []database.Pending) database.Entry {
	type told struct {
		Alert   string `json:"alert"`
		Finding string `json:"finding_digest"`
	}
	first, last := storm[0].Alert, storm[len(storm)-1].Alert
	list, of := make([]told, 0, len(storm)), map[string]int{}
	for _, p := range storm {
		list = append(list, told{p.Alert.ID, p.Alert.FindingDigest})
		of[p.Alert.Source]++
	}
	return database.Entry{
		ID: "alerts/" + first.ID + "/" + last.ID, Kind: "alerts.gathered", Actor: first.Source, At: s.Now(),
		Body: map[string]any{"count": len(list), "alerts": list, "of": of, "title": first.Title, "severity": first.Severity},
	}
}

// join tells a running response of further alerts. The run may end in this very moment; then they start anew. What a source
// that may act says raises the trust of the run: written down first, because the actions ask our record.
func (s *Starter) join(ctx context.Context, run incident.Run, list ...database.Pending) (fate, reason, runID string, err error) {
	raises := func(p database.Pending) bool {
		return p.Alert.Trust == incident.TrustAct && p.Alert.Kind != incident.KindResolved
	}
	if run.Trust != incident.TrustAct && slices.ContainsFunc(list, raises) {
		if err := s.DB.UpdateRun(ctx, run.ID, func(r *incident.Run) { r.Trust = incident.TrustAct }); err != nil {
			return "", "", "", intake.Unavailable(err)
		}
	}
	if err := s.note(ctx, run.ID, "alert.joined", list...); err != nil {
		return "", "", "", err
	}
	told := make([]map[string]any, 0, len(list))
	for _, p := range list {
		raw, err := json.Marshal(p.Alert)
		if err != nil {
			return "", "", "", err
		}
		var alert map[string]any
		if err := json.Unmarshal(raw, &alert); err != nil {
			return "", "", "", err
		}
		told = append(told, alert)
	}
	err = s.Temporal.SignalWorkflow(ctx, gateway.WorkflowID(run), "", wire.SignalAlerts, told)
	if ended := new(serviceerror.NotFound); errors.As(err, &ended) {
		err = errors.Join(err, s.gone(ctx, run.ID, "a later alert found it so"))
	}
	if err != nil {
		return "", "", "", intake.Unavailable(fmt.Errorf("run %s could not be told of the alert: %w", run.ID, err))
	}
	return incident.FateJoined, "run " + run.ID + " answers for this key already", run.ID, nil
}
