package sandbox

import (
	"encoding/json"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// awsEvent is one line of the audit trail.
type awsEvent struct {
	id, name, source, region string
	at                       time.Time
	key, user                string
	body                     string // the record as JSON
}

// Where the actors of this world call from.
var awsAddresses = map[string]string{ActorAttacker: "198.51.100.23", ActorResponder: "192.0.2.5", ActorUnknown: "192.0.2.5"}

// awsRecord writes a management event, of whom it may concern.
func (w *World) awsRecord(c *call, who awsCaller, name, service, fault string, params map[string]any) {
	region := who.region
	if region == "" {
		_, region = awsScope(c.r)
	}
	if service == "iam" {
		region = "us-east-1"
	}
	address := awsAddresses[c.entry.Actor]
	if address == "" {
		address = "203.0.113.10"
	}
	e := awsEvent{id: randomUUID(), name: name, source: service + ".amazonaws.com", region: region, at: w.Now().UTC().Truncate(time.Second)}
	who2 := map[string]any{"type": "Unknown"}
	if k := who.awsKey; k != nil {
		if who.bearer == "" || k.kind == awsSession {
			e.key = k.ID
		}
		who2 = map[string]any{"type": "IAMUser", "arn": k.arn(), "accountId": AWSAccountID, "accessKeyId": e.key}
		if k.user != nil {
			e.user, who2["userName"] = k.user.name, k.user.name
		} else {
			who2["type"] = "AssumedRole"
			who2["sessionContext"] = map[string]any{"sessionIssuer": map[string]string{"type": "Role", "userName": k.role.name}}
		}
	}
	record := map[string]any{
		"eventVersion": "1.11", "eventID": e.id, "eventName": name, "eventSource": e.source, "eventTime": e.at.Format(time.RFC3339), "awsRegion": region,
		"sourceIPAddress": address, "userAgent": c.r.UserAgent(), "userIdentity": who2, "requestParameters": params, "managementEvent": true,
	}
	if fault != "" {
		record["errorCode"] = fault
	}
	if who.bearer != "" {
		record["additionalEventData"] = map[string]any{"callWithBearerToken": true}
	}
	raw, _ := json.Marshal(record) // maps of texts always encode
	e.body = string(raw)
	w.aws.trail = append(w.aws.trail, e)
}

// awsTrail is CloudTrail's LookupEvents: one Region, one attribute, fifty events, two calls a second.
func (w *World) awsTrail(c *call) reply {
	c.entry.Path = "/LookupEvents"
	var in struct {
		LookupAttributes   []struct{ AttributeKey, AttributeValue string }
		StartTime, EndTime float64
		MaxResults         int
		NextToken          string
	}
	who, refused := w.awsJSON(c, "cloudtrail:LookupEvents", &in)
	if refused != nil {
		return *refused
	}
	if !strings.HasSuffix(c.r.Header.Get("X-Amz-Target"), "CloudTrail_20131101.LookupEvents") { // with and without its name space
		return awsJSONError(awsRefusal{http.StatusBadRequest, "UnknownOperationException", "The operation is not known."})
	}
	recent := slices.DeleteFunc(w.aws.asked[who.region], func(t time.Time) bool { return w.Now().Sub(t) >= time.Second })
	if len(recent) > 2 { // two a second, with the little grace that a network's jitter needs
		return awsJSONError(awsRefusal{http.StatusBadRequest, "ThrottlingException", "Rate exceeded"})
	}
	w.aws.asked[who.region] = append(recent, w.Now())
	if len(in.LookupAttributes) > 1 || in.MaxResults > 50 || in.StartTime > in.EndTime {
		return awsJSONError(awsRefusal{http.StatusBadRequest, "InvalidLookupAttributesException", "One lookup attribute, at most 50 results, and a time range that does not end before it begins."})
	}
	c.entry.Effect = EffectObserve
	return w.awsEvents(who.region, in.LookupAttributes, in.StartTime, in.EndTime, in.MaxResults, in.NextToken)
}

func (w *World) awsEvents(region string, by []struct{ AttributeKey, AttributeValue string }, from, to float64, most int, token string) reply {
	skip, err := strconv.Atoi(token)
	if token != "" && err != nil {
		return awsJSONError(awsRefusal{http.StatusBadRequest, "InvalidNextTokenException", "Invalid token."})
	}
	if most == 0 {
		most = 50
	}
	events, next := []any{}, ""
	for _, e := range slices.Backward(w.aws.trail) { // newest first
		at := float64(e.at.Unix())
		fits := e.region == region && at >= math.Floor(from) && (to == 0 || at <= math.Ceil(to))
		for _, b := range by {
			fits = fits && b.AttributeValue == map[string]string{"AccessKeyId": e.key, "Username": e.user, "EventName": e.name}[b.AttributeKey]
		}
		if !fits {
			continue
		}
		if skip > 0 {
			skip--
			continue
		}
		if len(events) == most {
			n, _ := strconv.Atoi(token) // an empty token is the beginning
			next = strconv.Itoa(n + most)
			break
		}
		events = append(events, map[string]any{
			"EventId": e.id, "EventName": e.name, "EventSource": e.source, "EventTime": at, "AccessKeyId": e.key, "Username": e.user, "CloudTrailEvent": e.body, "Resources": []any{},
		})
	}
	out := map[string]any{"Events": events}
	if next != "" {
		out["NextToken"] = next
	}
	return awsOK(out)
}

// awsCosts is Cost Explorer: days of the whole account, by service.
func (w *World) awsCosts(c *call) reply {
	c.entry.Path = "/GetCostAndUsage"
	var in struct {
		TimePeriod  struct{ Start, End string }
		Granularity string
		Metrics     []string
		GroupBy     []struct{ Type, Key string }
	}
	who, refused := w.awsJSON(c, "ce:GetCostAndUsage", &in)
	if refused != nil {
		return *refused
	}
	if c.r.Header.Get("X-Amz-Target") != "AWSInsightsIndexService.GetCostAndUsage" {
		return awsJSONError(awsRefusal{http.StatusBadRequest, "UnknownOperationException", "The operation is not known."})
	}
	w.awsRecord(c, who, "GetCostAndUsage", "ce", "", nil)
	from, err1 := time.Parse(time.DateOnly, in.TimePeriod.Start)
	to, err2 := time.Parse(time.DateOnly, in.TimePeriod.End)
	if err1 != nil || err2 != nil || !from.Before(to) || in.Granularity != "DAILY" || !slices.Equal(in.Metrics, []string{"UnblendedCost"}) {
		return awsJSONError(awsRefusal{http.StatusBadRequest, "ValidationException", "Start must be before end, in days."})
	}
	c.entry.Effect = EffectObserve
	days := []any{}
	for day := from; day.Before(to); day = day.Add(24 * time.Hour) {
		sum := 0.0
		for _, ch := range w.aws.charges {
			if !ch.at.Before(day) && ch.at.Before(day.Add(24*time.Hour)) {
				sum += ch.usd
			}
		}
		group := func(service string, usd float64) any {
			return map[string]any{"Keys": []string{service}, "Metrics": map[string]any{"UnblendedCost": map[string]string{"Amount": strconv.FormatFloat(usd, 'f', 10, 64), "Unit": "USD"}}}
		}
		days = append(days, map[string]any{
			"TimePeriod": map[string]string{"Start": day.Format(time.DateOnly), "End": day.Add(24 * time.Hour).Format(time.DateOnly)}, "Estimated": true, "Total": map[string]any{},
			"Groups": []any{group("AWS CloudTrail", 0.5), group("Claude Sonnet 4 (Amazon Bedrock Edition)", sum)},
		})
	}
	return awsOK(map[string]any{"ResultsByTime": days, "GroupDefinitions": []any{map[string]string{"Type": "DIMENSION", "Key": "SERVICE"}}})
}
