package sources

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// GCP decodes what a push subscription of Google Cloud Pub/Sub delivers: billing budgets and abuse notices.
type GCP struct{}

// NewGCP returns the source.
func NewGCP() GCP { return GCP{} }

// Name implements Source.
func (GCP) Name() string { return "gcp" }

// pushed is the envelope of a push.
type pushed struct {
	Message struct {
		Data       string            `json:"data"`
		ID         string            `json:"messageId"`
		Published  time.Time         `json:"publishTime"`
		Attributes map[string]string `json:"attributes"`
	} `json:"message"`
	Subscription string `json:"subscription"`
}

// Decode implements Source.
func (GCP) Decode(_ context.Context, r Request) (Delivery, error) {
	head := keep(r.Headers, "Content-Type", "User-Agent")
	var p pushed
	if err := decodeJSON(r.Body, &p, false); err != nil {
		return Delivery{}, err
	}
	if p.Message.ID == "" || p.Subscription == "" {
		return Delivery{}, refuse("the push has no message.messageId or no subscription; turn payload unwrapping off")
	}
	data, err := base64.StdEncoding.DecodeString(p.Message.Data)
	if err != nil || len(data) == 0 {
		return Delivery{}, refuse("message.data is empty or not base64")
	}
	if p.Message.Attributes["budgetId"] != "" {
		return p.budget(data, head, r.At)
	}
	return p.abuse(data, head, r.At)
}

// budget is a billing budget's notification. Google repeats it at every refresh of the cost, about every half hour, all
// month; a threshold is named from the moment it is crossed.
func (p pushed) budget(data []byte, head map[string]string, at time.Time) (Delivery, error) {
	var b struct {
		Name     string    `json:"budgetDisplayName"`
		Actual   *float64  `json:"alertThresholdExceeded"`
		Forecast *float64  `json:"forecastThresholdExceeded"`
		Cost     float64   `json:"costAmount"`
		Budget   float64   `json:"budgetAmount"`
		Start    time.Time `json:"costIntervalStart"`
		Currency string    `json:"currencyCode"`
	}
	if err := decodeJSON(data, &b, false); err != nil {
		return Delivery{}, refuse("the budget inside: %s", err)
	}
	if b.Start.IsZero() {
		return Delivery{}, refuse("the budget has no costIntervalStart")
	}
	id := p.Message.Attributes["budgetId"]
	out := Delivery{Headers: head}
	add := func(what, severity string, threshold *float64) {
		if threshold == nil {
			return
		}
		out.Findings = append(out.Findings, Decoded{
			Thread: "budget|" + id + "|" + b.Start.UTC().Format(time.RFC3339), Alert: incident.Alert{
				Kind: incident.KindSpend, Severity: severity, ObservedAt: seen(p.Message.Published, at),
				Title:       title("Google Cloud budget %q: %s %.2f of %.2f %s, threshold %g %% crossed", b.Name, what, b.Cost, b.Budget, b.Currency, 100**threshold),
				Fingerprint: fmt.Sprintf("budget|%s|%s|%s|%g", id, b.Start.UTC().Format(time.RFC3339), what, *threshold),
				Links:       links("https://console.cloud.google.com/billing/" + p.Message.Attributes["billingAccountId"] + "/budgets/" + id),
			},
		})
	}
	add("spent", severityOfShare(b.Actual), b.Actual)
	add("forecast", "medium", b.Forecast)
	if len(out.Findings) == 0 {
		return ignored(head, "no threshold of the budget is crossed yet"), nil
	}
	return out, nil
}

func severityOfShare(share *float64) string {
	if share != nil && *share >= 1 {
		return "high"
	}
	return "medium"
}

// abuse is a notice of Google's abuse team, as Cloud Logging exports it.
func (p pushed) abuse(data []byte, head map[string]string, at time.Time) (Delivery, error) {
	var entry struct {
		InsertID  string    `json:"insertId"`
		LogName   string    `json:"logName"`
		Timestamp time.Time `json:"timestamp"`
		Resource  struct {
			Labels map[string]string `json:"labels"`
		} `json:"resource"`
		Event *struct {
			Detection string `json:"detectionType"`
			Action    string `json:"action"`
			Reason    string `json:"reason"`
			Link      string `json:"remediationLink"`
			Leaked    *struct {
				URI     string `json:"detectedUri"`
				Account *struct {
					Email string `json:"serviceAccount"`
					KeyID string `json:"keyId"`
				} `json:"serviceAccountCredential"`
				Key *struct {
					Value string `json:"apiKey"`
				} `json:"apiKeyCredential"`
			} `json:"leakedCredentialEvent"`
		} `json:"jsonPayload"`
	}
	if err := decodeJSON(data, &entry, false); err != nil {
		return Delivery{}, refuse("the log entry inside: %s", err)
	}
	if !strings.Contains(entry.LogName, "abuseevent") || entry.Event == nil || entry.Event.Detection == "" {
		return Delivery{}, refuse("the message is neither a billing budget nor an abuse event")
	}
	e, project := entry.Event, entry.Resource.Labels["project_id"]
	d := Decoded{Alert: incident.Alert{
		Kind: incident.KindUsageAnomaly, Severity: "high", ObservedAt: seen(entry.Timestamp, at), Fingerprint: "abuse|" + orElse(entry.InsertID, p.Message.ID),
		Title: title("Google Cloud abuse notice for project %s: %s, %s", orElse(project, "unknown"), words(e.Detection), words(orElse(e.Action, "NOTIFY"))),
		Links: links(e.Link),
	}}
	switch {
	case e.Action == "REINSTATE" || e.Detection == "NO_ABUSE":
		d.Alert.Kind, d.Alert.Severity = incident.KindResolved, "low"
	case e.Leaked != nil:
		d.Alert.Kind, d.Alert.Severity = incident.KindKeyLeaked, "critical"
		d.Alert.Links = links(e.Leaked.URI, e.Link)
		if k := e.Leaked.Key; k != nil {
			d.Alert.Key.Provider = "gemini"
			if live(k.Value) {
				d.Secret, d.PerSecret = []byte(k.Value), true
			}
		}
		if a := e.Leaked.Account; a != nil && a.KeyID != "" {
			d.Alert.Key = incident.Clue{Provider: "gemini", ID: cut(a.Email+"/"+a.KeyID, 500)}
		}
	}
	if d.Alert.Key.Empty() && d.Secret == nil { // keys of one project are not one matter
		d.Thread = "abuse|" + project + "|" + e.Detection
	}
	return one(d, head), nil
}

func words(s string) string { return strings.ToLower(strings.ReplaceAll(s, "_", " ")) }

// Describe implements Source.
func (GCP) Describe() Card {
	return Card{
		Name: "gcp", Path: "/v1/alerts/gcp", Kinds: []string{incident.KindSpend, incident.KindKeyLeaked, incident.KindUsageAnomaly, incident.KindResolved},
		Media:   []string{mediaJSON},
		Summary: "Google Cloud Pub/Sub push: billing budgets and abuse notices.",
		Auth:    "an identity token of Google for sources.gcp.oidc.audience, of the service account sources.gcp.oidc.email",
		Headers: []string{"Content-Type: application/json", "Authorization: Bearer JWT"},
		SetUp: []string{
			"Make a topic and a push subscription to https://HOST/v1/alerts/gcp with authentication on: a service account of its own, and an audience of your choice.",
			"Write both into sources.gcp.oidc: audience and email. Leave payload unwrapping off.",
			"Billing budget: connect the topic under Manage notifications. Abuse notices: a log sink with the filter log_id(\"abuseevent.googleapis.com/abuse_events\").",
			"Cost figures lag by hours: a budget is a late signal, never the first.",
		},
		Example: json.RawMessage(gcpExample),
	}
}

const gcpExample = `{
  "message": {
    "attributes": {"billingAccountId": "01D4EE-079462-DFD6EC", "budgetId": "de72f49d-779b-4945-a127-4d6ce8def0bb", "schemaVersion": "1.0"},
    "data": "eyJidWRnZXREaXNwbGF5TmFtZSI6ImdlbWluaSIsImFsZXJ0VGhyZXNob2xkRXhjZWVkZWQiOjEuMCwiY29zdEFtb3VudCI6MTQwLjMyMSwiY29zdEludGVydmFsU3RhcnQiOiIyMDI2LTExLTAxVDA3OjAwOjAwWiIsImJ1ZGdldEFtb3VudCI6MTAwLjAsImJ1ZGdldEFtb3VudFR5cGUiOiJTUEVDSUZJRURfQU1PVU5UIiwiY3VycmVuY3lDb2RlIjoiVVNEIn0=",
    "messageId": "136969346945", "publishTime": "2026-11-20T03:12:00Z"
  },
  "subscription": "projects/acme-billing/subscriptions/tourniquet"
}`
