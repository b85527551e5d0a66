package sources

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// GitGuardian decodes its event-based custom webhook. The events carry no value, only a link to the incident there.
type GitGuardian struct{}

// NewGitGuardian returns the source.
func NewGitGuardian() GitGuardian { return GitGuardian{} }

// Name implements Source.
func (GitGuardian) Name() string { return "gitguardian" }

type guardianBody struct {
	Action   string    `json:"action"`
	Time     time.Time `json:"timestamp"`
	Message  string    `json:"message"`
	Incident *struct {
		ID         json.Number `json:"id"`
		Date       time.Time   `json:"date"`
		URL        string      `json:"gitguardian_url"`
		Status     string      `json:"status"`
		Severity   string      `json:"severity"`
		Validity   string      `json:"validity"`
		SecretHash string      `json:"secret_hash"`
		Detector   struct {
			Name    string `json:"name"`
			Display string `json:"display_name"`
			Family  string `json:"family"`
		} `json:"detector"`
	} `json:"incident"`
	Occurrence *struct {
		ID json.Number `json:"id"`
	} `json:"occurrence"`
}

// guardianActions are the turns that say something about a key; the others (assigned, shared, …) do not.
var guardianActions = map[string]string{
	"incident_triggered": incident.KindKeyLeaked, "incident_reopened": incident.KindKeyLeaked, "incident_regression": incident.KindKeyLeaked,
	"incident_severity_changed": incident.KindKeyLeaked, "incident_validity_changed": incident.KindKeyLeaked, "new_occurrence": incident.KindKeyLeaked,
	"incident_resolved": incident.KindResolved, "incident_ignored": incident.KindResolved,
}

// Decode implements Source.
func (GitGuardian) Decode(_ context.Context, r Request) (Delivery, error) {
	head := keep(r.Headers, "Content-Type", "User-Agent", "Timestamp")
	var b guardianBody
	if err := decodeJSON(r.Body, &b, false); err != nil {
		return Delivery{}, err
	}
	if b.Action == "" {
		return Delivery{}, refuse("the event has no action; choose the event-based custom webhook")
	}
	if b.Action == "ping" || b.Action == "test" {
		return Delivery{Ping: true, Headers: head}, nil
	}
	kind := guardianActions[b.Action]
	if kind == "" {
		return ignored(head, "the action %q changes nothing about a key", cut(b.Action, 60)), nil
	}
	if b.Incident == nil || b.Incident.ID == "" {
		return Delivery{}, refuse("the event names no incident")
	}
	return one(b.decoded(kind, r.At), head), nil
}

func (b guardianBody) decoded(kind string, at time.Time) Decoded {
	i := b.Incident
	severity := severityOf(i.Severity)
	switch {
	case kind == incident.KindResolved, i.Validity == "invalid":
		severity = "low"
	case i.Validity == "valid":
		severity = "critical"
	}
	turn := b.Time.UTC().Format(time.RFC3339Nano)
	if b.Occurrence != nil && b.Occurrence.ID != "" {
		turn = b.Occurrence.ID.String()
	}
	what := orElse(i.Detector.Display, i.Detector.Name, "a secret")
	return Decoded{Thread: i.ID.String(), Alert: incident.Alert{
		Kind: kind, Severity: severity, ObservedAt: seen(orTime(b.Time, i.Date), at), Links: links(i.URL),
		Title:       title("GitGuardian: %s, incident %s: %s", what, i.ID, strings.ReplaceAll(strings.TrimPrefix(b.Action, "incident_"), "_", " ")),
		Fingerprint: fmt.Sprintf("%s|%s|%s", i.ID, b.Action, turn), Key: incident.Clue{Provider: named(orElse(i.Detector.Name, i.Detector.Family))},
	}}
}

func orTime(a, b time.Time) time.Time {
	if a.IsZero() {
		return b
	}
	return a
}

// Describe implements Source.
func (GitGuardian) Describe() Card {
	return Card{
		Name: "gitguardian", Path: "/v1/alerts/gitguardian", Kinds: []string{incident.KindKeyLeaked, incident.KindResolved}, Media: []string{mediaJSON}, Keeps: true,
		Summary: "GitGuardian: incidents and new occurrences of the event-based custom webhook.",
		Auth:    GitGuardianSignature + ": sha256=<hex HMAC-SHA256 of the body with the key TIMESTAMP + signature token>, with the header Timestamp, at most five minutes old",
		Headers: []string{"Content-Type: application/json"},
		SetUp: []string{
			"Add a custom webhook under Settings, Integrations, with the URL https://HOST/v1/alerts/gitguardian, and choose the events of incidents and occurrences.",
			"Put its signature token into sources.gitguardian.secret.",
			"The events name no key, so a playbook with needs_key: false answers them, or people start a run by hand.",
		},
		Example: json.RawMessage(guardianExample),
	}
}

const guardianExample = `{
  "source": "GitGuardian", "timestamp": "2026-11-20T03:12:00Z", "action": "incident_triggered",
  "message": "A new incident has been detected.", "target_user": "GitGuardian Bot",
  "incident": {
    "id": 4611, "date": "2026-11-20T03:11:58Z", "status": "TRIGGERED", "severity": "high", "validity": "valid", "regression": false,
    "detector": {"name": "openai_project_api_key_v2", "display_name": "OpenAI Project API Key v2", "nature": "specific", "family": "Api"},
    "secret_hash": "Ri9FjVgdOlPnBmujoxP4XPJcbe82BhJXB/SAngijw/juCISuOMgPzYhV28m6OG24", "occurrence_count": 1,
    "gitguardian_url": "https://dashboard.gitguardian.com/workspace/1/incidents/4611"
  }
}`
