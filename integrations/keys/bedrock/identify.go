package bedrock

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

const (
	bedrockService = "bedrock.amazonaws.com"
	userPrefix     = "user/"
	rolePrefix     = "role/"
)

// Identify finds a key by its id or by its value. Access keys name themselves, long-term API keys carry user and account
// readably, short-term ones the id of the credential that signed them; a bare hint fits nothing here.
func (p *Provider) Identify(ctx context.Context, clue incident.Clue, secret []byte) ([]incident.Key, error) {
	v := parse(secret)
	if v.id == "" && v.alias == "" {
		v = named(clue.ID)
	}
	if v.account != "" && v.account != p.cfg.AccountID {
		return nil, nil
	}
	switch {
	case v.alias != "":
		return p.apiKeys(ctx, v)
	case strings.HasPrefix(v.id, prefixAPIKey):
		return p.everyAPIKey(ctx, func(c types.ServiceSpecificCredentialMetadata) bool {
			return aws.ToString(c.ServiceSpecificCredentialId) == v.id
		}, v)
	case strings.HasPrefix(v.id, prefixSession):
		return p.session(ctx, v)
	case strings.HasPrefix(v.id, prefixAccessKey):
		return p.accessKey(ctx, v)
	}
	return nil, nil
}

// named reads an id as sources write it.
func named(id string) value {
	if v := aliased(id); v.alias != "" {
		return v
	}
	if accessKeyID.FindString(id) == id || strings.HasPrefix(id, prefixAPIKey) {
		return value{id: id}
	}
	return value{}
}

func (p *Provider) accessKey(ctx context.Context, v value) ([]incident.Key, error) {
	what := fmt.Sprintf("looking up the access key %q", v.id)
	var used *iam.GetAccessKeyLastUsedOutput
	err := p.read(ctx, what, func() (err error) {
		used, err = p.iam.GetAccessKeyLastUsed(ctx, &iam.GetAccessKeyLastUsedInput{AccessKeyId: &v.id})
		if gone(err) || code(err) == "ValidationError" {
			used, err = nil, nil
		}
		return err
	})
	if status(err) == 0 && keys.IsPermanent(err) && strings.Contains(err.Error(), "AccessDenied") {
		if theirs, askErr := p.foreign(ctx, v.id); askErr == nil && theirs {
			return nil, nil // it lives in another account, which is why we may not look
		}
	}
	if err != nil || used == nil {
		return nil, err
	}
	user := aws.ToString(used.UserName)
	if user == "" || strings.HasPrefix(user, "<") {
		return nil, keys.Permanent(fmt.Errorf("%s: it belongs to no IAM user but to the account's root user; only the root user can set it inactive, by hand", what))
	}
	return []incident.Key{p.noun(v.id, user, hintOf(v.id))}, nil
}

// foreign reports that a key belongs to another AWS account.
func (p *Provider) foreign(ctx context.Context, id string) (bool, error) {
	var theirs bool
	err := p.read(ctx, fmt.Sprintf("asking whose account %q belongs to", id), func() error {
		got, err := p.sts.GetAccessKeyInfo(ctx, &sts.GetAccessKeyInfoInput{AccessKeyId: &id})
		if err == nil {
			theirs = aws.ToString(got.Account) != p.cfg.AccountID
		}
		return err
	})
	return theirs, err
}

// apiKeys finds a long-term key by the public half of its value, at the user that it names or, where that was renamed, anywhere.
func (p *Provider) apiKeys(ctx context.Context, v value) ([]incident.Key, error) {
	fits := func(c types.ServiceSpecificCredentialMetadata) bool {
		return aws.ToString(c.ServiceCredentialAlias) == v.alias
	}
	all, err := p.userAPIKeys(ctx, v.user)
	if err != nil {
		return nil, err
	}
	for _, c := range all {
		if fits(c) {
			return []incident.Key{p.apiKeyNoun(c, v)}, nil
		}
	}
	return p.everyAPIKey(ctx, fits, v)
}

// userAPIKeys lists one user's Bedrock keys; a user who is gone has none.
func (p *Provider) userAPIKeys(ctx context.Context, user string) ([]types.ServiceSpecificCredentialMetadata, error) {
	return p.listAPIKeys(ctx, fmt.Sprintf("listing the Bedrock API keys of %q", user), &iam.ListServiceSpecificCredentialsInput{UserName: &user, ServiceName: aws.String(bedrockService)})
}

func (p *Provider) allAPIKeys(ctx context.Context) ([]types.ServiceSpecificCredentialMetadata, error) {
	return p.listAPIKeys(ctx, "listing the Bedrock API keys of all users", &iam.ListServiceSpecificCredentialsInput{AllUsers: aws.Bool(true), ServiceName: aws.String(bedrockService)})
}

func (p *Provider) listAPIKeys(ctx context.Context, what string, in *iam.ListServiceSpecificCredentialsInput) (all []types.ServiceSpecificCredentialMetadata, err error) {
	for {
		more := false
		err := p.read(ctx, what, func() error {
			page, err := p.iam.ListServiceSpecificCredentials(ctx, in)
			if gone(err) {
				return nil
			}
			if err != nil {
				return err
			}
			all = append(all, page.ServiceSpecificCredentials...)
			more, in.Marker = page.IsTruncated && page.Marker != nil, page.Marker
			return nil
		})
		if err != nil || !more {
			return all, err
		}
	}
}

func (p *Provider) everyAPIKey(ctx context.Context, fits func(types.ServiceSpecificCredentialMetadata) bool, v value) ([]incident.Key, error) {
	all, err := p.allAPIKeys(ctx)
	var found []incident.Key
	for _, c := range all {
		if fits(c) {
			found = append(found, p.apiKeyNoun(c, v))
		}
	}
	return found, err
}

// session finds who a temporary credential was derived from: only CloudTrail knows, and it lags by minutes.
func (p *Provider) session(ctx context.Context, v value) ([]incident.Key, error) {
	if theirs, err := p.foreign(ctx, v.id); err != nil || theirs {
		return nil, err
	}
	regions := p.cfg.Regions
	if v.region != "" {
		regions = append([]string{v.region}, regions...)
	}
	now := p.cfg.Now()
	for _, region := range regions {
		events, _, err := p.page(ctx, region, lookup{key: byAccessKey, value: v.id, since: now.Add(-48 * time.Hour), until: now}, nil)
		if err != nil {
			return nil, err
		}
		for _, e := range events {
			if uid := e.UserIdentity.issuer(); uid != "" {
				hint := hintOf(v.id)
				if v.bearer != "" {
					hint = "bedrock-api-key-…" + v.bearer[len(v.bearer)-4:]
				}
				k := p.noun(v.id, strings.TrimPrefix(strings.TrimPrefix(uid, userPrefix), rolePrefix), hint)
				k.UID, k.OwnerKind = uid, ownerKind(uid)
				return []incident.Key{k}, nil
			}
		}
	}
	return nil, fmt.Errorf("looking up the temporary credential %q: CloudTrail has no event of it yet, so the user or role that it was derived from is not known; it lags by up to 15 minutes", v.id)
}

func (p *Provider) noun(id, user, hint string) incident.Key {
	return incident.Key{
		Provider: providerName, Account: p.cfg.Account, Project: p.cfg.AccountID, ID: id, UID: userPrefix + user, Name: user, Hint: hint,
		OwnerKind: "iam_user", Dependents: []incident.Dependent{},
	}
}

func (p *Provider) apiKeyNoun(c types.ServiceSpecificCredentialMetadata, v value) incident.Key {
	id := aws.ToString(c.ServiceSpecificCredentialId)
	hint := hintOf(id)
	if v.bearer != "" {
		hint = hintOf(v.bearer)
	}
	return p.noun(id, aws.ToString(c.UserName), hint)
}

func ownerKind(uid string) string {
	if strings.HasPrefix(uid, rolePrefix) {
		return "iam_role"
	}
	return "iam_user"
}

// owner is the user or role that a key belongs to. Without one nothing is called: IAM would take the caller's own user.
func owner(key incident.Key) (name string, isRole bool, err error) {
	name, isRole = strings.CutPrefix(key.UID, rolePrefix)
	if !isRole {
		name = strings.TrimPrefix(key.UID, userPrefix)
	}
	if name == "" {
		return "", false, keys.Permanent(fmt.Errorf("the key %q names no IAM user or role, and without one AWS would act on our own: identify it again", key.ID))
	}
	return name, isRole, nil
}
