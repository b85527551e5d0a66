package bedrock

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
)

// What CloudTrail may be asked by; it takes one attribute at a time.
const (
	byAccessKey = types.LookupAttributeKeyAccessKeyId
	byUser      = types.LookupAttributeKeyUsername
	byName      = types.LookupAttributeKeyEventName
)

// lookup is one question to CloudTrail.
type lookup struct {
	key          types.LookupAttributeKey
	value        string
	since, until time.Time
}

// event is the part of a CloudTrail record that we read.
type event struct {
	EventID, EventName, EventSource string
	EventTime                       time.Time
	AWSRegion                       string `json:"awsRegion"`
	SourceIPAddress, UserAgent      string
	ErrorCode                       string
	UserIdentity                    identity
	RequestParameters               struct{ ModelID, UserName string }
	AdditionalEventData             struct{ CallWithBearerToken bool }
}

type identity struct {
	Type, UserName, ARN, AccessKeyID string

	SessionContext struct {
		SessionIssuer struct{ Type, UserName string }
	}
}

// issuer is the user or role behind a temporary credential, as in Key.UID.
func (i identity) issuer() string {
	if s := i.SessionContext.SessionIssuer; s.UserName != "" {
		if s.Type == "Role" {
			return rolePrefix + s.UserName
		}
		return userPrefix + s.UserName
	}
	if i.Type == "IAMUser" && i.UserName != "" {
		return userPrefix + i.UserName
	}
	return ""
}

// actor is who did it, in one word.
func (e event) actor() string {
	who := e.UserIdentity.issuer()
	if who == "" {
		who = e.UserIdentity.ARN
	}
	if e.SourceIPAddress != "" {
		who += " from " + e.SourceIPAddress
	}
	return who
}

// probes are the calls by which thieves find out what a stolen AWS key is worth, or by which they make ready to spend.
var probes = []string{
	"GetCallerIdentity", "GetFoundationModelAvailability", "ListFoundationModels", "ListFoundationModelAgreementOffers", "ListProvisionedModelThroughputs",
	"GetUseCaseForModelAccess", "PutUseCaseForModelAccess", "PutFoundationModelEntitlement", "CreateFoundationModelAgreement", "SearchAgreements", "AcceptAgreementRequest",
	"GetModelInvocationLoggingConfiguration", "PutModelInvocationLoggingConfiguration", "DeleteModelInvocationLoggingConfiguration", "GetCostAndUsage",
}

// spends are the calls that cost money.
var spends = []string{"InvokeModel", "InvokeModelWithResponseStream", "Converse", "ConverseStream", "InvokeModelWithBidirectionalStream", "CreateModelInvocationJob"}

// probing reports a call that belongs to a thief's routine: those above, and a model call that is meant to fail.
func (e event) probing() bool {
	return slices.Contains(probes, e.EventName) || e.spends() && e.ErrorCode == "ValidationException"
}

func (e event) spends() bool { return slices.Contains(spends, e.EventName) }

// mostPages bounds one lookup in one Region: 5,000 events, 50 seconds at AWS's pace.
const mostPages = 100

// events reads a lookup to its end in one Region, newest first. A whole answer is what evidence needs; a quick one, or one
// whose time runs out after it had a fair chance, ends early and says so.
func (p *Provider) events(ctx context.Context, region string, q lookup) (all []event, incomplete string, err error) {
	began := p.cfg.Now()
	deadline, hurried := ctx.Deadline()
	pages := mostPages
	if keys.IsQuick(ctx) {
		pages = 2
	}
	var token *string
	for n := 1; ; n++ {
		got, next, err := p.page(ctx, region, q, token)
		if err != nil {
			return nil, "", err
		}
		all = append(all, got...)
		late := hurried && deadline.Sub(began) > 10*time.Second && deadline.Sub(p.cfg.Now()) < 3*time.Second
		switch {
		case next == nil:
			return all, "", nil
		case n >= pages, late:
			return all, fmt.Sprintf("CloudTrail in %s holds more than the %d newest events that were read", region, len(all)), nil
		}
		token = next
	}
}

// page is one call, at CloudTrail's pace.
func (p *Provider) page(ctx context.Context, region string, q lookup, token *string) (out []event, next *string, err error) {
	if q.since.After(q.until) {
		q.since = q.until // clocks differ, and CloudTrail refuses what ends before it begins
	}
	what := fmt.Sprintf("looking up what %s %q did in %s", q.key, q.value, region)
	client := cloudtrail.NewFromConfig(p.aws(region), func(o *cloudtrail.Options) { o.BaseEndpoint = at(p.cfg.Endpoints.CloudTrail, region) })
	err = p.read(ctx, what, func() error {
		if err := p.turn(ctx, region); err != nil {
			return err
		}
		page, err := client.LookupEvents(ctx, &cloudtrail.LookupEventsInput{
			LookupAttributes: []types.LookupAttribute{{AttributeKey: q.key, AttributeValue: &q.value}},
			StartTime:        aws.Time(q.since), EndTime: aws.Time(q.until), MaxResults: aws.Int32(50), NextToken: token,
		})
		if err != nil {
			return err
		}
		out, next = nil, page.NextToken
		for _, e := range page.Events {
			out = append(out, record(e))
		}
		return nil
	})
	if next != nil && *next == "" {
		next = nil
	}
	return out, next, err
}

// turn waits until this Region's CloudTrail may be asked again: AWS takes two calls a second.
func (p *Provider) turn(ctx context.Context, region string) error {
	p.mu.Lock()
	now := p.cfg.Now()
	slot := p.next[region]
	if slot.Before(now) {
		slot = now
	}
	p.next[region] = slot.Add(p.cfg.Pace)
	p.mu.Unlock()
	return sleep(ctx, slot.Sub(now))
}

// record reads one event; what its record does not say is taken from the list.
func record(e types.Event) event {
	var out event
	_ = json.Unmarshal([]byte(aws.ToString(e.CloudTrailEvent)), &out) // a record of a strange shape still has a name and a time
	out.EventName, out.EventSource, out.EventTime = aws.ToString(e.EventName), aws.ToString(e.EventSource), aws.ToTime(e.EventTime).UTC()
	out.EventID = aws.ToString(e.EventId)
	return out
}

// ofKey is the question for everything that a key did. A long-term Bedrock key has no access key id: its user names it.
func ofKey(uid, id string, since, until time.Time) lookup {
	if kindOf(id) == kindAPIKey {
		return lookup{byUser, strings.TrimPrefix(uid, userPrefix), since, until}
	}
	return lookup{byAccessKey, id, since, until}
}
