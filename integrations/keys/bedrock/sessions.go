package bedrock

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/smithy-go/middleware"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// policyName is ours alone: the console's own AWSRevokeOlderSessions may be a colleague's.
const policyName = "TourniquetRevokeOlderSessions"

func requestID(m middleware.Metadata) string {
	id, _ := awsmiddleware.GetRequestIDMetadata(m)
	return id
}

// statement is one sentence of an IAM policy.
type statement struct {
	Sid, Effect      string
	Action, Resource []string
	Condition        map[string]map[string]string
}

// denyDocument ends every session from before now. The second statement is for short-term Bedrock keys that a long-term
// access key signed: they carry no session token, so no issue time either. Issue times are whole seconds: a second more
// reaches the sessions of this one.
func denyDocument(now time.Time) (string, error) {
	raw, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": []statement{
		{Sid: "OlderSessions", Effect: "Deny", Action: []string{"*"}, Resource: []string{"*"},
			Condition: map[string]map[string]string{"DateLessThan": {"aws:TokenIssueTime": now.UTC().Add(time.Second).Format(time.RFC3339)}}},
		{Sid: "ShortTermBedrockKeys", Effect: "Deny", Action: []string{"bedrock:CallWithBearerToken"}, Resource: []string{"*"},
			Condition: map[string]map[string]string{"StringEquals": {"bedrock:bearerTokenType": "SHORT_TERM"}}},
	}})
	return string(raw), err
}

// describe is a policy document as people read it on a card.
func describePolicy(document string) map[string]string {
	if document == "" {
		return map[string]string{"deny_policy": "none"}
	}
	var d struct{ Statement []statement }
	if json.Unmarshal([]byte(document), &d) == nil {
		for _, s := range d.Statement {
			if at := s.Condition["DateLessThan"]["aws:TokenIssueTime"]; at != "" {
				return map[string]string{"deny_policy": "sessions from before " + at}
			}
		}
	}
	return map[string]string{"deny_policy": "one of this name that is not ours"}
}

// policyState reads whether our policy is on the user or role.
func (p *Provider) policyState(ctx context.Context, op keys.Op, key incident.Key) (keys.State, error) {
	name, isRole, err := owner(key)
	if err != nil {
		return keys.State{}, err
	}
	document := ""
	err = p.read(ctx, fmt.Sprintf("reading the policy %q of %q", policyName, key.UID), func() error {
		var raw *string
		if isRole {
			out, err := p.iam.GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: &name, PolicyName: aws.String(policyName)})
			if err != nil {
				return unlessGone(err)
			}
			raw = out.PolicyDocument
		} else {
			out, err := p.iam.GetUserPolicy(ctx, &iam.GetUserPolicyInput{UserName: &name, PolicyName: aws.String(policyName)})
			if err != nil {
				return unlessGone(err)
			}
			raw = out.PolicyDocument
		}
		plain, err := url.QueryUnescape(aws.ToString(raw)) // IAM gives documents back URL-encoded
		document = plain
		return err
	})
	if err != nil {
		return keys.State{}, err
	}
	undo, err := json.Marshal(before{Op: keys.OpSessions, Policy: document})
	return keys.State{Fields: describePolicy(document), Undo: undo, Done: op == keys.OpContain && document != ""}, err
}

func unlessGone(err error) error {
	if gone(err) {
		return nil
	}
	return err
}

// Sessions ends what was derived from the key.
func (p *Provider) Sessions(ctx context.Context, key incident.Key) (keys.Receipt, error) {
	if c := p.CanKey(keys.OpSessions, key); !c.Available {
		return keys.Receipt{Summary: "Nothing to end: " + c.Why, After: map[string]string{}}, nil
	}
	return p.deny(ctx, key)
}

// deny is one call; a repeat moves the time on.
func (p *Provider) deny(ctx context.Context, key incident.Key) (keys.Receipt, error) {
	name, isRole, err := owner(key)
	if err != nil {
		return keys.Receipt{}, err
	}
	if err := p.ours(ctx, key); err != nil {
		return keys.Receipt{}, err
	}
	document, err := denyDocument(p.cfg.Now())
	if err != nil {
		return keys.Receipt{}, err
	}
	request, err := p.putPolicy(ctx, name, isRole, document)
	if err != nil {
		return keys.Receipt{}, explain(fmt.Sprintf("denying %q what was issued before now", key.UID), err)
	}
	return keys.Receipt{RequestID: request, After: describePolicy(document),
		Summary: fmt.Sprintf("%s is denied everything that is asked with a token from before now, and every short-term Bedrock key", key.UID)}, nil
}

func (p *Provider) putPolicy(ctx context.Context, name string, isRole bool, document string) (string, error) {
	if isRole {
		out, err := p.iam.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: &name, PolicyName: aws.String(policyName), PolicyDocument: &document})
		if err != nil {
			return "", err
		}
		return requestID(out.ResultMetadata), nil
	}
	out, err := p.iam.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: &name, PolicyName: aws.String(policyName), PolicyDocument: &document})
	if err != nil {
		return "", err
	}
	return requestID(out.ResultMetadata), nil
}

// allow takes the policy off, or puts back the one that was there.
func (p *Provider) allow(ctx context.Context, key incident.Key, earlier string) (keys.Receipt, error) {
	name, isRole, err := owner(key)
	if err != nil {
		return keys.Receipt{}, err
	}
	what := fmt.Sprintf("taking the policy %q off %q", policyName, key.UID)
	if earlier != "" {
		request, err := p.putPolicy(ctx, name, isRole, earlier)
		return keys.Receipt{RequestID: request, Summary: "The earlier deny policy is back", After: describePolicy(earlier)}, explain(what, err)
	}
	if isRole {
		_, err = p.iam.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: &name, PolicyName: aws.String(policyName)})
	} else {
		_, err = p.iam.DeleteUserPolicy(ctx, &iam.DeleteUserPolicyInput{UserName: &name, PolicyName: aws.String(policyName)})
	}
	if err != nil && !gone(err) {
		return keys.Receipt{}, explain(what, err)
	}
	return keys.Receipt{Summary: fmt.Sprintf("The deny policy is off %s", key.UID), After: describePolicy("")}, nil
}
