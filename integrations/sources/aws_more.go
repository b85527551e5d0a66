package sources

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// footholds are calls by which an intruder stays, or covers their tracks.
var footholds = []string{
	"CreateAccessKey", "CreateServiceSpecificCredential", "ResetServiceSpecificCredential", "CreateUser", "CreateLoginProfile", "UpdateLoginProfile",
	"AttachUserPolicy", "AttachRolePolicy", "PutUserPolicy", "PutRolePolicy", "UpdateAssumeRolePolicy", "StopLogging", "DeleteTrail", "PutEventSelectors",
	"DeleteModelInvocationLoggingConfiguration", "PutModelInvocationLoggingConfiguration", "PutUseCaseForModelAccess", "CreateFoundationModelAgreement",
}

// quarantine is the policy that AWS itself attaches to a user whose key it found in public.
const quarantine = "AWSCompromisedKeyQuarantine"

func (b bridgeEvent) cloudTrail(at time.Time) ([]Decoded, string, error) {
	var f struct {
		ID       string    `json:"eventID"`
		Name     string    `json:"eventName"`
		Service  string    `json:"eventSource"`
		Time     time.Time `json:"eventTime"`
		Address  string    `json:"sourceIPAddress"`
		Error    string    `json:"errorCode"`
		Identity struct {
			AccessKeyID string `json:"accessKeyId"`
			UserName    string `json:"userName"`
			Type        string `json:"type"`
		} `json:"userIdentity"`
		Request struct {
			UserName    string `json:"userName"`
			PolicyARN   string `json:"policyArn"`
			AccessKeyID string `json:"accessKeyId"`
		} `json:"requestParameters"`
	}
	if err := decodeJSON(b.Detail, &f, false); err != nil {
		return nil, "", refuse("the call inside: %s", err)
	}
	if f.ID == "" || f.Name == "" {
		return nil, "", refuse("the CloudTrail call has no eventID or no eventName")
	}
	d := Decoded{Alert: incident.Alert{
		Kind: incident.KindUsageAnomaly, Severity: "medium", ObservedAt: seen(f.Time, at), Fingerprint: f.ID, Key: b.clue(f.Identity.AccessKeyID),
		Title: title("CloudTrail: %s of %s by %s from %s", f.Name, f.Service, orElse(f.Identity.UserName, f.Identity.Type, "somebody"), orElse(f.Address, "an unknown address")),
	}}
	switch {
	case strings.Contains(f.Request.PolicyARN, quarantine):
		d.Alert.Kind, d.Alert.Severity, d.Alert.Key = incident.KindKeyLeaked, "critical", b.clue("")
		d.Alert.Title = title("AWS put %s under quarantine: a key of this user is public", orElse(f.Request.UserName, "a user"))
	case slices.Contains(footholds, f.Name) && f.Error == "":
		d.Alert.Severity = "high"
	}
	return []Decoded{d}, "", nil
}

var (
	budgetName  = regexp.MustCompile(`(?m)^\s*Budget Name: *(.{1,200}?)\s*$`)
	budgetType  = regexp.MustCompile(`(?m)^\s*Alert Type: *([A-Za-z]{1,20})\s*$`)
	budgetLimit = regexp.MustCompile(`(?m)^\s*Alert Threshold: *([^\n]{1,80}?)\s*$`)
	budgetSpent = regexp.MustCompile(`(?m)^\s*(?:ACTUAL|FORECASTED|Forecasted|Actual) Amount: *([^\n]{1,80}?)\s*$`)
	budgetOwner = regexp.MustCompile(`(?m)^\s*AWS Account[: ]+([0-9]{12})\s*$`)
)

// budgetText reads the mail that AWS Budgets sends to topics, too. Budgets say what an account costs, never which key.
func budgetText(e snsEnvelope, at time.Time) ([]Decoded, string, error) {
	name := first(budgetName, e.Message)
	if name == "" {
		return nil, "", refuse("the message is no JSON and no notification of AWS Budgets")
	}
	when, err := time.Parse(time.RFC3339Nano, e.Timestamp)
	if err != nil {
		return nil, "", refuse("the Timestamp is no time of RFC 3339")
	}
	kind, limit, spent, account := first(budgetType, e.Message), first(budgetLimit, e.Message), first(budgetSpent, e.Message), first(budgetOwner, e.Message)
	severity := "high"
	if strings.EqualFold(kind, "FORECASTED") {
		severity = "medium"
	}
	return []Decoded{{Thread: "budget|" + e.TopicArn + "|" + account + "|" + name, Alert: incident.Alert{
		Kind: incident.KindSpend, Severity: severity, ObservedAt: seen(when, at),
		Title:       title("AWS Budgets: %s is at %s, threshold %s (%s)", name, orElse(spent, "an unknown amount"), orElse(limit, "unknown"), strings.ToLower(orElse(kind, "actual"))),
		Fingerprint: fmt.Sprintf("budget|%s|%s|%s|%s|%s", account, name, kind, limit, when.UTC().Format(time.DateOnly)),
	}}}, "", nil
}

func first(re *regexp.Regexp, text string) string {
	if m := re.FindStringSubmatch(text); m != nil {
		return m[1]
	}
	return ""
}
