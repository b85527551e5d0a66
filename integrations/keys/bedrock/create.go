package bedrock

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

const (
	mostKeys    = 2 // of one kind and user, says AWS
	createTag   = "tourniquet:create"
	createTakes = 2 * time.Minute // a key made later than this after the tag is somebody else's
)

// room says when AWS would refuse a further key. That is no fault of anybody: people choose which key must go.
func room(key incident.Key, list []sibling) error {
	if len(list) < mostKeys {
		return nil
	}
	names := make([]string, 0, len(list))
	for _, k := range list {
		names = append(names, k.id+" ("+k.status+")")
	}
	return keys.Permanent(fmt.Errorf("the user %q has %d keys of this kind already, %s, and AWS allows no more: delete one that nobody needs, then try again", key.Name, len(list), strings.Join(names, " and ")))
}

// Create makes another key of the same kind for the same user; it is called once, and a lost answer is found by Orphans.
func (p *Provider) Create(ctx context.Context, like incident.Key, label string) (keys.Created, error) {
	if c := p.CanKey(keys.OpCreate, like); !c.Available {
		return keys.Created{}, fmt.Errorf("%w: %s", keys.ErrUnsupported, c.Why)
	}
	what := fmt.Sprintf("creating a key like %q", like.ID)
	if label == "" {
		return keys.Created{}, keys.Permanent(fmt.Errorf("%s: a label is needed to find the key again", what))
	}
	list, err := p.siblings(ctx, like)
	if err == nil {
		err = room(like, list)
	}
	if err == nil {
		err = p.announce(ctx, like, label, list)
	}
	if err != nil {
		return keys.Created{}, err
	}
	made, err := p.create(ctx, like)
	if strings.HasPrefix(code(err), "LimitExceeded") {
		return keys.Created{}, keys.Permanent(fmt.Errorf("%w; delete a key of user %q that nobody needs, then try again", explain(what, err), like.Name))
	}
	if err != nil && !keys.IsPermanent(err) && !lasting(err) {
		return keys.Created{}, fmt.Errorf("%w; if AWS made the key all the same, the next attempt finds and deletes it", explain(what, err))
	}
	return made, explain(what, err)
}

// announce leaves on the user what Orphans needs to tell our key from others.
func (p *Provider) announce(ctx context.Context, like incident.Key, label string, list []sibling) error {
	user, _, err := owner(like)
	if err != nil {
		return err
	}
	parts := []string{label, strconv.FormatInt(p.cfg.Now().Unix(), 10)}
	for _, k := range list {
		parts = append(parts, k.id)
	}
	_, err = p.iam.TagUser(ctx, &iam.TagUserInput{UserName: &user, Tags: []types.Tag{{Key: aws.String(createTag), Value: aws.String(strings.Join(parts, " "))}}})
	return explain(fmt.Sprintf("marking the user %q before a key is made", user), err)
}

func (p *Provider) create(ctx context.Context, like incident.Key) (keys.Created, error) {
	user, _, err := owner(like)
	if err != nil {
		return keys.Created{}, err
	}
	if kindOf(like.ID) == kindAPIKey {
		return p.createAPIKey(ctx, user)
	}
	out, err := p.iam.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: &user})
	if err != nil {
		return keys.Created{}, err
	}
	k := out.AccessKey
	if k == nil || aws.ToString(k.AccessKeyId) == "" || aws.ToString(k.SecretAccessKey) == "" {
		return keys.Created{}, fmt.Errorf("AWS's answer holds no key")
	}
	pair, err := json.Marshal(map[string]string{"AccessKeyId": *k.AccessKeyId, "SecretAccessKey": *k.SecretAccessKey})
	return p.created(*k.AccessKeyId, user, hintOf(*k.AccessKeyId), pair, requestID(out.ResultMetadata)), err
}

func (p *Provider) createAPIKey(ctx context.Context, user string) (keys.Created, error) {
	out, err := p.iam.CreateServiceSpecificCredential(ctx, &iam.CreateServiceSpecificCredentialInput{UserName: &user, ServiceName: aws.String(bedrockService)})
	if err != nil {
		return keys.Created{}, err
	}
	c := out.ServiceSpecificCredential
	if c == nil || aws.ToString(c.ServiceSpecificCredentialId) == "" || aws.ToString(c.ServiceCredentialSecret) == "" {
		return keys.Created{}, fmt.Errorf("AWS's answer holds no key")
	}
	secret := *c.ServiceCredentialSecret
	if !strings.HasPrefix(secret, "ABSK") {
		secret = "ABSK" + base64.StdEncoding.EncodeToString([]byte(aws.ToString(c.ServiceCredentialAlias)+":"+secret))
	}
	return p.created(*c.ServiceSpecificCredentialId, user, hintOf(secret), []byte(secret), requestID(out.ResultMetadata)), nil
}

func (p *Provider) created(id, user, hint string, secret []byte, request string) keys.Created {
	p.mu.Lock()
	p.mine[id] = true
	p.mu.Unlock()
	return keys.Created{Key: p.noun(id, user, hint), Secret: secret, Receipt: keys.Receipt{
		RequestID: request, Summary: fmt.Sprintf("Created the key %s for user %q", id, user), After: map[string]string{"exists": "true"},
	}}
}

// Orphans lists keys that appeared on the user right after Create announced itself under label and that nobody has used:
// nobody can use a key whose value was lost with the answer.
func (p *Provider) Orphans(ctx context.Context, like incident.Key, label string) ([]incident.Key, error) {
	if kindOf(like.ID) == kindSession || label == "" {
		return nil, nil
	}
	user, _, err := owner(like)
	if err != nil {
		return nil, err
	}
	began, had, err := p.announced(ctx, user, label)
	if err != nil || began == 0 {
		return nil, err
	}
	list, err := p.siblings(ctx, like)
	if err != nil {
		return nil, err
	}
	const skew = 60 // seconds between our clock and IAM's
	var found []incident.Key
	for _, k := range list {
		late := k.created - began
		if slices.Contains(had, k.id) || late < -skew || late > int64(createTakes/time.Second) {
			continue
		}
		used, err := p.used(ctx, k.id)
		if err != nil {
			return nil, err
		}
		if !used {
			found = append(found, p.noun(k.id, user, hintOf(k.id)))
		}
	}
	return found, nil
}

// announced reads the tag; 0 means that it is not there or speaks of another attempt.
func (p *Provider) announced(ctx context.Context, user, label string) (began int64, had []string, err error) {
	err = p.read(ctx, fmt.Sprintf("reading the tags of user %q", user), func() error {
		out, err := p.iam.ListUserTags(ctx, &iam.ListUserTagsInput{UserName: &user})
		if err != nil {
			return unlessGone(err)
		}
		for _, t := range out.Tags {
			parts := strings.Fields(aws.ToString(t.Value))
			if aws.ToString(t.Key) == createTag && len(parts) >= 2 && parts[0] == label {
				began, _ = strconv.ParseInt(parts[1], 10, 64) // what is no number is no mark of ours
				had = parts[2:]
			}
		}
		return nil
	})
	return began, had, err
}

// used reports whether an access key was ever used; IAM does not say so of Bedrock API keys.
func (p *Provider) used(ctx context.Context, id string) (used bool, err error) {
	if kindOf(id) == kindAPIKey {
		return false, nil
	}
	err = p.read(ctx, fmt.Sprintf("reading when %q was last used", id), func() error {
		out, err := p.iam.GetAccessKeyLastUsed(ctx, &iam.GetAccessKeyLastUsedInput{AccessKeyId: &id})
		if err == nil && out.AccessKeyLastUsed != nil {
			used = out.AccessKeyLastUsed.LastUsedDate != nil
		}
		return unlessGone(err)
	})
	return used, err
}
