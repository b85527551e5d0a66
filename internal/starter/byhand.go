package starter

import (
	"context"
	"fmt"
	"strings"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// byHand is the source of an alert that a person made by asking for a run. Only StartByHand knows who that was, so the
// dispatcher never starts such a run on its own.
const byHand = "person"

// ByHand is a run that a person starts. The person is excluded from its sign-offs.
type ByHand struct {
	Playbook string
	Key      string // provider:account:id
	Reason   string
	Starter  string
	Inputs   map[string]any
}

// StartByHand stores the request as an alert like any other and starts the run that was asked for.
func (s *Starter) StartByHand(ctx context.Context, b ByHand) (incident.Run, error) {
	program, ok := s.Library().Find(b.Playbook)
	if !ok {
		return incident.Run{}, fmt.Errorf("there is no playbook %q", b.Playbook)
	}
	if strings.TrimSpace(b.Reason) == "" {
		return incident.Run{}, fmt.Errorf("a run by hand needs a reason")
	}
	if b.Starter == "" { // nobody would be excluded from the sign-offs
		return incident.Run{}, fmt.Errorf("a run by hand needs to know who starts it")
	}
	part := strings.SplitN(b.Key, ":", 3)
	if len(part) != 3 || part[0] == "" || part[2] == "" {
		return incident.Run{}, fmt.Errorf("%q is not provider:account:id", b.Key)
	}
	now := s.Now()
	a := incident.Alert{
		Source: byHand, Trust: incident.TrustTell, Kind: incident.KindKeyLeaked, Severity: "high", Title: b.Reason,
		Fingerprint: fmt.Sprintf("%s/%s/%d", b.Starter, b.Key, now.UnixNano()), ObservedAt: now, ReceivedAt: now,
		Key: incident.Clue{Provider: part[0], Account: part[1], ID: part[2]},
	}
	stored, err := s.DB.StoreAlert(ctx, incident.Finding{Body: []byte(b.Reason)}, a, []database.Alias{{Provider: part[0], Kind: "id", Value: part[1] + "/" + part[2]}})
	if err != nil {
		return incident.Run{}, err
	}
	if run, open, err := s.DB.OpenRunOf(ctx, stored.IncidentID); err != nil || open {
		if err == nil {
			err = s.DB.SetFate(ctx, stored.AlertID, incident.FateJoined, "run "+run.ID+" answers already", run.ID)
		}
		return run, err
	}
	a.ID = stored.AlertID
	run, err := s.row(ctx, program, database.Pending{Alert: a, Incident: stored.IncidentID})
	if err != nil {
		return incident.Run{}, err
	}
	run.Starter = b.Starter
	bound, err := s.begin(ctx, run, a, program, b.Inputs)
	if err == nil {
		err = s.DB.Keep(ctx, run.ID, database.Kept{Setting: bound})
	}
	if err != nil {
		return incident.Run{}, err
	}
	return run, s.DB.SettleAlerts(ctx, []database.Pending{{Alert: a, Incident: stored.IncidentID}}, incident.FateStarted, "by hand: "+b.Reason, run.ID)
}
