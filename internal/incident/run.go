package incident

import (
	"fmt"
	"time"
)

// Outcomes of a run.
const (
	OutcomeContained  = "contained"
	OutcomeFalseAlarm = "false_alarm"
	OutcomeStopped    = "stopped"
	OutcomeFailed     = "failed"
	OutcomeCancelled  = "cancelled"
	OutcomeJoined     = "joined"
)

// Modes. Observe matches, plans and notifies but does nothing undoable or final; enforce acts.
const (
	ModeObserve = "observe"
	ModeEnforce = "enforce"
)

// Worlds an envelope may belong to.
const (
	WorldProduction = "production"
	WorldDrill      = "drill"
)

// Run is one execution of a playbook, as our own records know it.
type Run struct {
	ID         string    `json:"id"`
	Incident   string    `json:"incident"`
	Number     int       `json:"number"` // 1 for the incident's first run
	Playbook   string    `json:"playbook"`
	Digest     string    `json:"digest"` // of the playbook's source
	Source     string    `json:"source"` // the playbook's YAML
	Mode       string    `json:"mode"`
	World      string    `json:"world"`
	Starter    string    `json:"starter,omitempty"` // person who started it by hand
	AlertID    string    `json:"alert_id,omitempty"`
	Trust      string    `json:"trust"` // of the source that started it
	Key        *Key      `json:"key,omitempty"`
	State      string    `json:"state"` // running, waiting, done
	Outcome    string    `json:"outcome,omitempty"`
	StartedAt  time.Time `json:"started_at"`
	FinishedAt time.Time `json:"finished_at,omitzero"`
	Signers    []string  `json:"signers,omitempty"` // ids of the keys that decisions about it may be signed with
}

// WorkflowID of a run: the incident's id, with a number from the second run on.
func (r Run) WorkflowID() string {
	if r.Number <= 1 {
		return r.Incident
	}
	return fmt.Sprintf("%s/%d", r.Incident, r.Number)
}

// Person is somebody who may decide, mapped by Slack user id, never by e-mail or display name.
type Person struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Slack string `json:"slack,omitempty"`
	Email string `json:"email,omitempty"`

	PagerDuty string   `json:"pagerduty,omitempty"` // user id there
	Subject   string   `json:"-"`                   // under which the OIDC provider knows them
	Roles     []string `json:"-"`                   // in the console and the API
}
