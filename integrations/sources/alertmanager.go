package sources

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// Alertmanager decodes Prometheus Alertmanager's webhook, version 4.
type Alertmanager struct{}

// NewAlertmanager returns the source.
func NewAlertmanager() Alertmanager { return Alertmanager{} }

// Name implements Source.
func (Alertmanager) Name() string { return "alertmanager" }

// notification is the body of the webhook, which Grafana extends. Fields that we do not know are welcome: versions add some.
type notification struct {
	Version     string            `json:"version"`
	ExternalURL string            `json:"externalURL"`
	Truncated   int               `json:"truncatedAlerts"`
	GroupKey    string            `json:"groupKey"`
	Alerts      []notifiedAlert   `json:"alerts"`
	Labels      map[string]string `json:"commonLabels"`
}

type notifiedAlert struct {
	Status       string            `json:"status"`
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
	StartsAt     time.Time         `json:"startsAt"`
	EndsAt       time.Time         `json:"endsAt"`
	GeneratorURL string            `json:"generatorURL"`
	Fingerprint  string            `json:"fingerprint"`
	SilenceURL   string            `json:"silenceURL"` // these four are Grafana's
	DashboardURL string            `json:"dashboardURL"`
	PanelURL     string            `json:"panelURL"`
	ValueString  string            `json:"valueString"`
}

// Decode implements Source.
func (Alertmanager) Decode(_ context.Context, r Request) (Delivery, error) {
	return decodeNotification(r, "Alertmanager", func(notifiedAlert) bool { return false })
}

// decodeNotification reads what both send; test tells the alert of a button that tries the connection.
func decodeNotification(r Request, who string, test func(notifiedAlert) bool) (Delivery, error) {
	var n notification
	if err := decodeJSON(r.Body, &n, false); err != nil {
		return Delivery{}, err
	}
	if len(n.Alerts) == 0 {
		return Delivery{}, refuse("the notification holds no alerts")
	}
	if err := tooMany(len(n.Alerts)); err != nil {
		return Delivery{}, err
	}
	out := Delivery{Headers: keep(r.Headers, "Content-Type", "User-Agent")}
	if len(n.Alerts) == 1 && test(n.Alerts[0]) {
		return Delivery{Ping: true, Headers: out.Headers}, nil
	}
	for i, a := range n.Alerts {
		d, err := a.decoded(who, n.ExternalURL, r.At)
		if err != nil {
			return Delivery{}, refuse("alert %d of the notification: %s", i+1, err)
		}
		out.Findings = append(out.Findings, d)
	}
	if n.Truncated > 0 {
		out.Findings = append(out.Findings, n.leftOut(who, r.At))
	}
	return out, nil
}

func (a notifiedAlert) decoded(who, external string, at time.Time) (Decoded, error) {
	if a.Fingerprint == "" || a.StartsAt.IsZero() {
		return Decoded{}, fmt.Errorf("it has no fingerprint or no startsAt")
	}
	name := orElse(a.Annotations["summary"], a.Annotations["title"], a.Annotations["description"], a.Labels["alertname"], "an alert without a name")
	d := Decoded{Thread: a.Fingerprint, Alert: incident.Alert{
		Kind: kindOf(a.Labels), Severity: severityOf(label(a.Labels, "severity")), Title: title("%s: %s", who, name), ObservedAt: seen(a.StartsAt, at),
		Fingerprint: a.Fingerprint + "|" + a.StartsAt.UTC().Format(time.RFC3339Nano), Key: clueOf(a.Labels),
		Links: links(a.GeneratorURL, a.PanelURL, a.DashboardURL, a.Annotations["runbook_url"], a.SilenceURL, external),
	}}
	switch a.Status {
	case "firing":
	case "resolved":
		d.Alert.Kind, d.Alert.Severity, d.Alert.ObservedAt = incident.KindResolved, "low", seen(a.EndsAt, at)
		d.Alert.Fingerprint += "|resolved"
		d.Alert.Title = title("%s: resolved: %s", who, name)
	default:
		return Decoded{}, fmt.Errorf("its status is neither firing nor resolved")
	}
	return d, nil
}

// leftOut says that the sender cut its list: those alerts are lost unless somebody looks.
func (n notification) leftOut(who string, at time.Time) Decoded {
	return Decoded{Alert: incident.Alert{
		Kind: incident.KindUsageAnomaly, Severity: "high", ObservedAt: at.UTC(),
		Title:       title("%s left out %d alerts of one notification: set max_alerts of its receiver to 0", who, n.Truncated),
		Fingerprint: fmt.Sprintf("left out|%s|%d", n.GroupKey, at.Unix()), Links: links(n.ExternalURL),
	}}
}

// Describe implements Source.
func (Alertmanager) Describe() Card {
	return Card{
		Name: "alertmanager", Path: "/v1/alerts/alertmanager", Kinds: alertKinds, Media: []string{mediaJSON}, Keeps: true,
		Summary: "Prometheus Alertmanager: firing and resolved alerts of a webhook receiver.",
		Auth:    "Authorization: Bearer TOKEN (http_config.authorization of the receiver), or a client certificate",
		Headers: []string{"Content-Type: application/json"},
		SetUp: []string{
			"Add a receiver: webhook_configs: [{url: https://HOST/v1/alerts/alertmanager, send_resolved: true, max_alerts: 0, http_config: {authorization: {credentials_file: FILE}}}].",
			"Give the rule the labels key_provider, key_account and key_id (or key_hint), and severity: critical, warning or info.",
			"The label tourniquet_kind may name another kind than usage.anomaly, as spend.threshold.",
			"Alerts repeat every repeat_interval; a repeat changes nothing. It is the same alert while fingerprint and startsAt are.",
		},
		Example: json.RawMessage(alertmanagerExample),
	}
}

const alertmanagerExample = `{
  "receiver": "tourniquet", "status": "firing", "version": "4", "groupKey": "{}:{alertname=\"KeyBurn\"}", "truncatedAlerts": 0,
  "externalURL": "http://alertmanager.example:9093",
  "alerts": [{
    "status": "firing",
    "labels": {"alertname": "KeyBurn", "key_provider": "gemini", "key_account": "prod", "key_id": "0f4d1f9e-6c1b-4a53-9f0e-2d8f5f1c7a10", "severity": "critical"},
    "annotations": {"summary": "28 USD a minute on one key"},
    "startsAt": "2026-11-20T03:12:00.123456789Z", "endsAt": "0001-01-01T00:00:00Z",
    "generatorURL": "http://prometheus.example:9090/graph", "fingerprint": "c383b2cae34e85d0"
  }]
}`
