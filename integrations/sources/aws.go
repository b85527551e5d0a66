package sources

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// AWS decodes what arrives through Amazon SNS: GuardDuty findings, Health events about exposed keys, CloudTrail calls (all
// three by EventBridge), and Budgets.
type AWS struct{}

// NewAWS returns the source.
func NewAWS() AWS { return AWS{} }

// Name implements Source.
func (AWS) Name() string { return "aws" }

// Decode implements Source.
func (AWS) Decode(_ context.Context, r Request) (Delivery, error) {
	head := keep(r.Headers, "Content-Type", "User-Agent", "X-Amz-Sns-Message-Type", "X-Amz-Sns-Message-Id", "X-Amz-Sns-Topic-Arn")
	var e snsEnvelope
	if err := decodeJSON(r.Body, &e, false); err != nil {
		return Delivery{}, err
	}
	switch e.Type {
	case snsNotification:
	case snsSubscribe:
		confirm, good := e.confirmURL()
		if !good {
			return Delivery{}, refuse("the address that confirms the subscription is not Amazon's own for this topic")
		}
		return Delivery{Headers: head, Confirm: confirm}, nil
	case snsUnsubscribe:
		return ignored(head, "the topic was unsubscribed; nothing more will come from it"), nil
	default:
		return Delivery{}, refuse("the Type is none that Amazon SNS sends")
	}
	found, why, err := e.findings(r.At)
	if err != nil || why != "" {
		return Delivery{Headers: head, Ignored: why}, err
	}
	return Delivery{Headers: head, Findings: found}, nil
}

func (e snsEnvelope) findings(at time.Time) (found []Decoded, why string, err error) {
	if text := strings.TrimSpace(e.Message); !strings.HasPrefix(text, "{") {
		return budgetText(e, at)
	}
	var b bridgeEvent
	if err := decodeJSON([]byte(e.Message), &b, false); err != nil {
		return nil, "", refuse("the message inside: %s", err)
	}
	switch b.Type {
	case "GuardDuty Finding":
		return b.guardDuty(at)
	case "AWS Health Event", "AWS Health Abuse Event":
		return b.health(at)
	case "AWS API Call via CloudTrail", "AWS Console Sign In via CloudTrail":
		return b.cloudTrail(at)
	}
	return nil, "", refuse("the message is no GuardDuty finding, Health event, CloudTrail call or budget that we know")
}

// bridgeEvent is an event of EventBridge.
type bridgeEvent struct {
	ID      string          `json:"id"`
	Type    string          `json:"detail-type"`
	Source  string          `json:"source"`
	Account string          `json:"account"`
	Time    time.Time       `json:"time"`
	Region  string          `json:"region"`
	Detail  json.RawMessage `json:"detail"`
}

func (b bridgeEvent) guardDuty(at time.Time) ([]Decoded, string, error) {
	var f struct {
		ID, Type, Title, UpdatedAt string
		Severity                   float64
		Resource                   struct {
			AccessKeyDetails struct {
				AccessKeyID string `json:"accessKeyId"`
				UserName    string
			}
		}
		Service struct {
			Archived       bool
			EventLastSeen  time.Time
			AdditionalInfo struct{ Sample bool }
		}
	}
	if err := decodeJSON(b.Detail, &f, false); err != nil {
		return nil, "", refuse("the finding inside: %s", err)
	}
	switch {
	case f.ID == "" || f.Type == "":
		return nil, "", refuse("the GuardDuty finding has no id or no type")
	case f.Service.AdditionalInfo.Sample:
		return nil, "a sample finding of GuardDuty: the connection works", nil
	}
	severity := "low"
	switch { // GuardDuty's own bounds
	case f.Severity >= 9:
		severity = "critical"
	case f.Severity >= 7:
		severity = "high"
	case f.Severity >= 4:
		severity = "medium"
	}
	d := Decoded{Thread: f.ID, Alert: incident.Alert{
		Kind: incident.KindUsageAnomaly, Severity: severity, Title: title("GuardDuty: %s", orElse(f.Title, f.Type)), ObservedAt: seen(f.Service.EventLastSeen, at),
		Fingerprint: f.ID + "|" + f.UpdatedAt, Key: b.clue(f.Resource.AccessKeyDetails.AccessKeyID),
		Links: links(fmt.Sprintf("https://%s.console.aws.amazon.com/guardduty/home?region=%s#/findings?macros=current&fId=%s", b.Region, b.Region, f.ID)),
	}}
	if f.Service.Archived {
		d.Alert.Kind, d.Alert.Severity = incident.KindResolved, "low"
		d.Alert.Fingerprint += "|archived"
	}
	return []Decoded{d}, "", nil
}

// exposures are the Health events that mean a key is out.
var exposures = []string{"AWS_RISK_CREDENTIALS_EXPOSED", "AWS_RISK_CREDENTIALS_EXPOSURE_SUSPECTED", "AWS_RISK_CREDENTIALS_COMPROMISED"}

func (b bridgeEvent) health(at time.Time) ([]Decoded, string, error) {
	var f struct {
		ARN      string `json:"eventArn"`
		Code     string `json:"eventTypeCode"`
		Status   string `json:"statusCode"`
		Entities []struct {
			Value string `json:"entityValue"`
		} `json:"affectedEntities"`
	}
	if err := decodeJSON(b.Detail, &f, false); err != nil {
		return nil, "", refuse("the event inside: %s", err)
	}
	if !slices.Contains(exposures, f.Code) {
		return nil, fmt.Sprintf("the Health event %q says nothing about a key", cut(f.Code, 80)), nil
	}
	if err := tooMany(len(f.Entities)); err != nil {
		return nil, "", err
	}
	var out []Decoded
	add := func(entity string) {
		d := Decoded{Thread: f.ARN + "|" + entity, Alert: incident.Alert{
			Kind: incident.KindKeyLeaked, Severity: "critical", ObservedAt: seen(b.Time, at), Fingerprint: f.ARN + "|" + f.Status + "|" + entity,
			Title: title("AWS Health: %s %s", f.Code, orElse(entity, "in account "+b.Account)), Key: b.clue(entity),
		}}
		if f.Status == "closed" {
			d.Alert.Kind, d.Alert.Severity = incident.KindResolved, "low"
		}
		out = append(out, d)
	}
	for _, e := range f.Entities {
		add(e.Value)
	}
	if len(out) == 0 {
		add("")
	}
	return out, "", nil
}

// clue names an access key by its id; without one only the account is known. IAM keys are what Bedrock is called with.
func (b bridgeEvent) clue(accessKey string) incident.Clue {
	d := Decoded{}
	d.accessKey(accessKey)
	return d.Alert.Key
}

// Describe implements Source.
func (AWS) Describe() Card {
	return Card{
		Name: "aws", Path: "/v1/alerts/aws", Kinds: alertKinds, Media: []string{"text/plain", mediaJSON}, Keeps: true,
		Summary: "Amazon SNS: GuardDuty findings, Health events about exposed keys, CloudTrail calls by EventBridge, and Budgets.",
		Auth:    "Amazon's signature (version 1 or 2), and the topic must be one of sources.aws.topics",
		Headers: []string{"Content-Type: text/plain; charset=UTF-8", "X-Amz-Sns-Message-Type"},
		SetUp: []string{
			"Make a topic, set its attribute SignatureVersion to 2, and name its ARN under sources.aws.topics.",
			"Subscribe https://HOST/v1/alerts/aws with the protocol https. The subscription is confirmed by itself with confirm: true; otherwise the log names the address to open.",
			"EventBridge rules to the topic: source aws.guardduty; source aws.health with eventTypeCode AWS_RISK_CREDENTIALS_EXPOSED; CloudTrail calls as you choose.",
			"Budgets: add the topic to the alerts of a budget. Leave \"raw message delivery\" off: raw messages carry no signature.",
		},
		Example: json.RawMessage(awsExample),
	}
}

const awsExample = `{
  "Type": "Notification", "MessageId": "dc1e94d9-56c5-5e96-808d-cc7f68faa162", "TopicArn": "arn:aws:sns:eu-central-1:123456789012:alerts",
  "Timestamp": "2026-11-20T03:12:00.000Z", "SignatureVersion": "2", "Signature": "EXAMPLE",
  "SigningCertURL": "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-EXAMPLE0000000000.pem",
  "UnsubscribeURL": "https://sns.eu-central-1.amazonaws.com/?Action=Unsubscribe",
  "Message": "{\"version\":\"0\",\"id\":\"7bf73129-1428-4cd3-a780-95db273d1602\",\"detail-type\":\"AWS Health Event\",\"source\":\"aws.health\",\"account\":\"123456789012\",\"time\":\"2026-11-20T03:11:00Z\",\"region\":\"us-east-1\",\"resources\":[],\"detail\":{\"eventArn\":\"arn:aws:health:us-east-1::event/RISK/AWS_RISK_CREDENTIALS_EXPOSED/AWS_RISK_CREDENTIALS_EXPOSED_EXAMPLE\",\"service\":\"RISK\",\"eventTypeCode\":\"AWS_RISK_CREDENTIALS_EXPOSED\",\"eventTypeCategory\":\"issue\",\"statusCode\":\"open\",\"affectedEntities\":[{\"entityValue\":\"AKIAIOSFODNN7EXAMPLE\"}]}}"
}`
