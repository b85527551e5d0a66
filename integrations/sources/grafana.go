package sources

import (
	"context"
	"encoding/json"
)

// Grafana decodes the webhook of Grafana's own alerting, which extends Alertmanager's.
type Grafana struct{}

// NewGrafana returns the source.
func NewGrafana() Grafana { return Grafana{} }

// Name implements Source.
func (Grafana) Name() string { return "grafana" }

// Decode implements Source.
func (Grafana) Decode(_ context.Context, r Request) (Delivery, error) {
	return decodeNotification(r, "Grafana", func(a notifiedAlert) bool { // the button "Test" of a contact point
		return a.Labels["alertname"] == "TestAlert" && a.Labels["instance"] == "Grafana"
	})
}

// Describe implements Source.
func (Grafana) Describe() Card {
	return Card{
		Name: "grafana", Path: "/v1/alerts/grafana", Kinds: alertKinds, Media: []string{mediaJSON}, Keeps: true,
		Summary: "Grafana alerting: firing and resolved alerts of a webhook contact point.",
		Auth: GrafanaSignature + ": <hex HMAC-SHA256 of the body, or of TIMESTAMP:body with " + GrafanaTimestamp + ">, " +
			"or Authorization: Bearer TOKEN",
		Headers: []string{"Content-Type: application/json"},
		SetUp: []string{
			"Add a contact point of the type Webhook with the URL https://HOST/v1/alerts/grafana and the method POST; leave \"Disable resolved message\" off.",
			"Under HMAC Signature set a secret, keep the header " + GrafanaSignature + ", and name the timestamp header " + GrafanaTimestamp + "; older Grafana: the authorization header.",
			"Give the rule the labels key_provider, key_account and key_id (or key_hint), and severity: critical, warning or info.",
		},
		Example: json.RawMessage(grafanaExample),
	}
}

const grafanaExample = `{
  "receiver": "tourniquet", "status": "firing", "orgId": 1, "version": "1", "state": "alerting", "title": "[FIRING:1] KeyBurn",
  "groupKey": "{}:{alertname=\"KeyBurn\"}", "truncatedAlerts": 0, "externalURL": "https://grafana.example/", "message": "one key burns",
  "alerts": [{
    "status": "firing",
    "labels": {"alertname": "KeyBurn", "key_provider": "openai", "key_account": "main", "key_id": "key_abc", "severity": "critical"},
    "annotations": {"summary": "Spend of one key is forty times its usual"},
    "startsAt": "2026-11-20T03:12:00Z", "endsAt": "0001-01-01T00:00:00Z", "fingerprint": "57c6d9296de2ad39",
    "generatorURL": "https://grafana.example/alerting/grafana/1afz29v7z/view", "silenceURL": "https://grafana.example/alerting/silence/new",
    "dashboardURL": "https://grafana.example/d/burn", "panelURL": "https://grafana.example/d/burn?viewPanel=2",
    "values": {"B": 41.2}, "valueString": "[ var='B' value=41.2 ]"
  }]
}`
