package bedrock

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// Revoke deletes the key for good. A key that is gone already is a success.
func (p *Provider) Revoke(ctx context.Context, key incident.Key) (keys.Receipt, error) {
	if c := p.CanKey(keys.OpRevoke, key); !c.Available {
		return keys.Receipt{}, fmt.Errorf("%w: %s", keys.ErrUnsupported, c.Why)
	}
	user, _, err := owner(key)
	if err != nil {
		return keys.Receipt{}, err
	}
	if err := p.ours(ctx, key); err != nil {
		return keys.Receipt{}, err
	}
	request := ""
	if kindOf(key.ID) == kindAPIKey {
		var out *iam.DeleteServiceSpecificCredentialOutput
		if out, err = p.iam.DeleteServiceSpecificCredential(ctx, &iam.DeleteServiceSpecificCredentialInput{UserName: &user, ServiceSpecificCredentialId: &key.ID}); err == nil {
			request = requestID(out.ResultMetadata)
		}
	} else {
		var out *iam.DeleteAccessKeyOutput
		if out, err = p.iam.DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{UserName: &user, AccessKeyId: &key.ID}); err == nil {
			request = requestID(out.ResultMetadata)
		}
	}
	after := map[string]string{"exists": "false"}
	switch {
	case gone(err):
		return keys.Receipt{Summary: "The key was deleted already", After: after}, nil
	case err != nil:
		return keys.Receipt{}, explain(fmt.Sprintf("deleting the key %q of user %q", key.ID, user), err)
	}
	return keys.Receipt{RequestID: request, Summary: fmt.Sprintf("The key %s of user %q is deleted for good", key.ID, user), After: after}, nil
}
