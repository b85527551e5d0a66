package bedrock

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/tape"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// phantomPrefix begins the names of users that AWS's console makes for Bedrock API keys. Deleting the key leaves the user.
const phantomPrefix = "BedrockAPIKey-"

// creations are the events by which somebody comes back later; IAM records them in us-east-1.
var creations = map[string]string{
	"CreateAccessKey": "access_key_created", "CreateUser": "user_created", "CreateLoginProfile": "login_profile_created",
	"CreateServiceSpecificCredential": "api_key_created",
}

const mostUsers = 200 // that are looked at one by one

// Persistence lists what an intruder may come back by: what the key itself did that is known of thieves, keys and users
// made since by anybody, phantom users and what hangs on them, and Regions in which nobody records what models are asked.
func (p *Provider) Persistence(ctx context.Context, key incident.Key, since time.Time) ([]keys.Trace, []keys.Raw, error) {
	if _, _, err := owner(key); err != nil {
		return nil, nil, err
	}
	recording, recorder := tape.Record(ctx)
	now := p.cfg.Now()
	did, note, err := p.everywhere(recording, ofKey(key.UID, key.ID, since, now))
	if err != nil {
		return nil, nil, err
	}
	traces := acts(did)
	if note != "" {
		traces = append(traces, keys.Trace{Kind: "incomplete", What: note, At: now})
	}
	var fault error
	for _, look := range []func() ([]keys.Trace, error){
		func() ([]keys.Trace, error) { return p.made(recording, since, now) },
		func() ([]keys.Trace, error) { return p.newAPIKeys(recording, since) },
		func() ([]keys.Trace, error) { return p.newUsers(recording, since) },
		func() ([]keys.Trace, error) { return p.unrecorded(recording, now) },
	} {
		got, err := look()
		traces, fault = append(traces, got...), errors.Join(fault, err)
		if ctx.Err() != nil {
			return nil, nil, err // the other looks would say the same
		}
	}
	if fault != nil {
		return nil, nil, fault
	}
	return unique(traces), recorder.Evidence("aws-persistence"), nil
}

// acts are the key's own changes, counted: the ones of a thief's routine and everything that made or changed an identity.
func acts(did []event) (out []keys.Trace) {
	for _, e := range did {
		changed := e.EventSource == "iam.amazonaws.com" && !strings.HasPrefix(e.EventName, "Get") && !strings.HasPrefix(e.EventName, "List")
		if !e.probing() && !changed || e.spends() {
			continue
		}
		what := e.EventName
		if e.ErrorCode != "" {
			what += " (refused: " + e.ErrorCode + ")"
		}
		if u := e.RequestParameters.UserName; u != "" {
			what += fmt.Sprintf(" on user %q", u)
		}
		if e.AWSRegion != "" {
			what += " in " + e.AWSRegion
		}
		kind := "thief_routine"
		if changed {
			kind = "identity_changed"
		}
		out = append(out, keys.Trace{Kind: kind, What: what, Actor: e.actor(), At: e.EventTime})
	}
	return out
}

// made are the creations by anybody but us, from CloudTrail.
func (p *Provider) made(ctx context.Context, since, until time.Time) (out []keys.Trace, err error) {
	own, err := p.cfg.Credentials.Retrieve(ctx)
	if err != nil {
		return nil, fmt.Errorf("our own AWS credentials could not be read: %w", scrub(err))
	}
	for _, name := range []string{"CreateAccessKey", "CreateUser", "CreateLoginProfile", "CreateServiceSpecificCredential"} {
		got, _, err := p.events(ctx, globalRegion, lookup{byName, name, since, until})
		if err != nil {
			return nil, err
		}
		for _, e := range got {
			if e.ErrorCode == "" && e.UserIdentity.AccessKeyID != own.AccessKeyID {
				out = append(out, keys.Trace{Kind: creations[name], What: fmt.Sprintf("for user %q", e.RequestParameters.UserName), Actor: e.actor(), At: e.EventTime})
			}
		}
	}
	return out, nil
}

// newAPIKeys needs no CloudTrail and therefore no patience.
func (p *Provider) newAPIKeys(ctx context.Context, since time.Time) (out []keys.Trace, err error) {
	all, err := p.allAPIKeys(ctx)
	for _, c := range all {
		if at := aws.ToTime(c.CreateDate); !at.Before(since) && !p.isMine(aws.ToString(c.ServiceSpecificCredentialId)) {
			out = append(out, keys.Trace{Kind: "bedrock_api_key", What: fmt.Sprintf("%s of user %q, %s", aws.ToString(c.ServiceSpecificCredentialId), aws.ToString(c.UserName), c.Status), At: at.UTC()})
		}
	}
	return out, err
}

// newUsers looks at users made since and at every phantom user, and says what hangs on them. A phantom from before is only
// a trace when somebody can come in by it in another way than by the API key that it was made for.
func (p *Provider) newUsers(ctx context.Context, since time.Time) (out []keys.Trace, err error) {
	users, err := p.users(ctx, since)
	if err != nil {
		return nil, err
	}
	if len(users) > mostUsers {
		out = append(out, keys.Trace{Kind: "incomplete", What: fmt.Sprintf("%d users are new or phantoms; only the first %d were looked at", len(users), mostUsers), At: since})
		users = users[:mostUsers]
	}
	for _, u := range users {
		kind := "new_user"
		if strings.HasPrefix(aws.ToString(u.UserName), phantomPrefix) {
			kind = "phantom_user"
		}
		holds, ways, err := p.holdings(ctx, aws.ToString(u.UserName))
		if err != nil {
			return nil, err
		}
		if aws.ToTime(u.CreateDate).Before(since) && !ways {
			continue
		}
		out = append(out, keys.Trace{Kind: kind, What: fmt.Sprintf("%q: %s", aws.ToString(u.UserName), holds), At: aws.ToTime(u.CreateDate).UTC()})
	}
	return out, nil
}

func (p *Provider) users(ctx context.Context, since time.Time) (out []types.User, err error) {
	in := &iam.ListUsersInput{}
	for {
		more := false
		err := p.read(ctx, "listing the IAM users", func() error {
			page, err := p.iam.ListUsers(ctx, in)
			if err != nil {
				return err
			}
			for _, u := range page.Users {
				if strings.HasPrefix(aws.ToString(u.UserName), phantomPrefix) || !aws.ToTime(u.CreateDate).Before(since) {
					out = append(out, u)
				}
			}
			more, in.Marker = page.IsTruncated && page.Marker != nil, page.Marker
			return nil
		})
		if err != nil || !more {
			return out, err
		}
	}
}

// holdings says in words what hangs on a user, and whether somebody can come in by an access key or a password.
func (p *Provider) holdings(ctx context.Context, user string) (words string, ways bool, err error) {
	var parts []string
	list, err := p.accessKeys(ctx, user)
	for _, k := range list {
		ways = ways || !p.isMine(aws.ToString(k.AccessKeyId))
		parts = append(parts, fmt.Sprintf("access key %s (%s)", aws.ToString(k.AccessKeyId), k.Status))
	}
	fault := errors.Join(err, p.read(ctx, fmt.Sprintf("asking whether %q has a password", user), func() error {
		_, err := p.iam.GetLoginProfile(ctx, &iam.GetLoginProfileInput{UserName: &user})
		if err == nil {
			parts, ways = append(parts, "a console password"), true
		}
		return unlessGone(err)
	}), p.read(ctx, fmt.Sprintf("listing the policies of %q", user), func() error {
		inline, err := p.iam.ListUserPolicies(ctx, &iam.ListUserPoliciesInput{UserName: &user})
		if err != nil {
			return unlessGone(err)
		}
		for _, name := range inline.PolicyNames {
			parts = append(parts, fmt.Sprintf("inline policy %q", name))
		}
		return nil
	}), p.read(ctx, fmt.Sprintf("listing the attached policies of %q", user), func() error {
		attached, err := p.iam.ListAttachedUserPolicies(ctx, &iam.ListAttachedUserPoliciesInput{UserName: &user})
		if err != nil {
			return unlessGone(err)
		}
		for _, a := range attached.AttachedPolicies {
			parts = append(parts, fmt.Sprintf("policy %q", aws.ToString(a.PolicyName)))
		}
		return nil
	}))
	if len(parts) == 0 {
		parts = []string{"nothing hangs on it"}
	}
	return strings.Join(parts, ", "), ways, fault
}

// unique drops what two sources told alike, and sorts by time.
func unique(all []keys.Trace) []keys.Trace {
	slices.SortStableFunc(all, func(a, b keys.Trace) int { return a.At.Compare(b.At) })
	return slices.CompactFunc(all, func(a, b keys.Trace) bool { return a == b })
}
