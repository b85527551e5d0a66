package bedrock

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

var _ keys.Lister = (*Provider)(nil)

// List implements keys.Lister: the long-term Bedrock API keys of the account, and the access keys of its IAM users, of which
// nobody can tell from outside which ones call models. What is inactive is left out.
func (p *Provider) List(ctx context.Context) ([]incident.Key, error) {
	api, err := p.allAPIKeys(ctx)
	if err != nil {
		return nil, err
	}
	var out []incident.Key
	for _, c := range api {
		if c.Status == types.StatusTypeActive {
			out = append(out, p.apiKeyNoun(c, value{}))
		}
	}
	users, err := p.users(ctx, time.Time{})
	if err != nil {
		return nil, err
	}
	for _, u := range users {
		name := aws.ToString(u.UserName)
		list, err := p.accessKeys(ctx, name)
		if err != nil {
			return nil, err
		}
		for _, k := range list {
			if id := aws.ToString(k.AccessKeyId); k.Status == types.StatusTypeActive {
				out = append(out, p.noun(id, name, hintOf(id)))
			}
		}
	}
	return out, nil
}
