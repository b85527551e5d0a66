package bedrock

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// statusGone is our word for a key that IAM no longer lists.
const statusGone = "gone"

// before is the undo record: what was there, of a key or of the deny policy. No secret is in it.
type before struct {
	Op     keys.Op `json:"op"`
	Status string  `json:"status,omitempty"` // of the key
	Policy string  `json:"policy,omitempty"` // our policy's document; empty for none
}

// State reads what op relies on.
func (p *Provider) State(ctx context.Context, op keys.Op, key incident.Key) (keys.State, error) {
	session := kindOf(key.ID) == kindSession
	if op == keys.OpSessions || session && (op == keys.OpContain || op == keys.OpRestore) {
		return p.policyState(ctx, op, key)
	}
	if session {
		return keys.State{Fields: map[string]string{}}, nil
	}
	list, err := p.siblings(ctx, key)
	if err != nil {
		return keys.State{}, err
	}
	is := statusGone
	for _, k := range list {
		if k.id == key.ID {
			is = k.status
		}
	}
	switch op {
	case keys.OpRevoke:
		return keys.State{Fields: map[string]string{"exists": strconv.FormatBool(is != statusGone)}, Done: is == statusGone}, nil
	case keys.OpCreate:
		return keys.State{Fields: map[string]string{"exists": strconv.FormatBool(is != statusGone)}}, room(key, list)
	}
	undo, err := json.Marshal(before{Op: keys.OpContain, Status: is})
	return keys.State{Fields: map[string]string{"status": is}, Done: op == keys.OpContain && is != string(types.StatusTypeActive), Undo: undo}, err
}

// sibling is one key of the same kind and user.
type sibling struct {
	id, status string
	created    int64
}

// siblings lists the keys of the key's kind and user, itself among them while it lives.
func (p *Provider) siblings(ctx context.Context, key incident.Key) (out []sibling, err error) {
	user, isRole, err := owner(key)
	if err != nil {
		return nil, err
	}
	if isRole {
		return nil, keys.Permanent(fmt.Errorf("the key %q is said to belong to a role, and roles have no lasting keys: identify it again", key.ID))
	}
	if kindOf(key.ID) == kindAPIKey {
		all, err := p.userAPIKeys(ctx, user)
		for _, c := range all {
			out = append(out, sibling{aws.ToString(c.ServiceSpecificCredentialId), string(c.Status), aws.ToTime(c.CreateDate).Unix()})
		}
		return out, err
	}
	all, err := p.accessKeys(ctx, user)
	for _, c := range all {
		out = append(out, sibling{aws.ToString(c.AccessKeyId), string(c.Status), aws.ToTime(c.CreateDate).Unix()})
	}
	return out, err
}

// accessKeys lists one user's access keys; a user who is gone has none.
func (p *Provider) accessKeys(ctx context.Context, user string) (all []types.AccessKeyMetadata, err error) {
	in := &iam.ListAccessKeysInput{UserName: &user}
	for {
		more := false
		err := p.read(ctx, fmt.Sprintf("listing the access keys of %q", user), func() error {
			page, err := p.iam.ListAccessKeys(ctx, in)
			if gone(err) {
				return nil
			}
			if err != nil {
				return err
			}
			all = append(all, page.AccessKeyMetadata...)
			more, in.Marker = page.IsTruncated && page.Marker != nil, page.Marker
			return nil
		})
		if err != nil || !more {
			return all, err
		}
	}
}

// Contain sets the key inactive; for a temporary credential it puts the deny policy on the user or role.
func (p *Provider) Contain(ctx context.Context, key incident.Key) (keys.Receipt, error) {
	if kindOf(key.ID) == kindSession {
		return p.deny(ctx, key)
	}
	got, err := p.setStatus(ctx, key, types.StatusTypeInactive)
	if got.Summary == "" {
		got.Summary = fmt.Sprintf("The key %s of user %q is inactive", key.ID, key.Name)
	}
	return got, err
}

// Restore puts back the recorded status of the key, or what was in the place of our policy.
func (p *Provider) Restore(ctx context.Context, key incident.Key, undo json.RawMessage) (keys.Receipt, error) {
	var was before
	if err := json.Unmarshal(undo, &was); err != nil || was.Op == "" {
		return keys.Receipt{}, keys.Permanent(fmt.Errorf("the undo record of %q cannot be read, put it back by hand", key.ID))
	}
	if was.Op == keys.OpSessions {
		return p.allow(ctx, key, was.Policy)
	}
	if was.Status != string(types.StatusTypeActive) {
		return keys.Receipt{Summary: "The key was not active before either, so it stays as it is", After: map[string]string{"status": was.Status}}, nil
	}
	got, err := p.setStatus(ctx, key, types.StatusTypeActive)
	switch {
	case err != nil:
		return got, err
	case got.After["status"] == statusGone:
		return keys.Receipt{}, keys.Permanent(fmt.Errorf("the key %q was deleted and cannot be given back", key.ID))
	}
	got.Summary = fmt.Sprintf("The key %s of user %q is active again", key.ID, key.Name)
	return got, nil
}

// setStatus is one call. A key that is gone needs no status: that is a success, and After says so.
func (p *Provider) setStatus(ctx context.Context, key incident.Key, to types.StatusType) (keys.Receipt, error) {
	user, _, err := owner(key)
	if err != nil {
		return keys.Receipt{}, err
	}
	if err := p.ours(ctx, key); err != nil {
		return keys.Receipt{}, err
	}
	what := fmt.Sprintf("setting the key %q of user %q %s", key.ID, user, to)
	if kindOf(key.ID) == kindAPIKey {
		var out *iam.UpdateServiceSpecificCredentialOutput
		out, err = p.iam.UpdateServiceSpecificCredential(ctx, &iam.UpdateServiceSpecificCredentialInput{UserName: &user, ServiceSpecificCredentialId: &key.ID, Status: to})
		if err == nil {
			return keys.Receipt{RequestID: requestID(out.ResultMetadata), After: map[string]string{"status": string(to)}}, nil
		}
	} else {
		var out *iam.UpdateAccessKeyOutput
		out, err = p.iam.UpdateAccessKey(ctx, &iam.UpdateAccessKeyInput{UserName: &user, AccessKeyId: &key.ID, Status: to})
		if err == nil {
			return keys.Receipt{RequestID: requestID(out.ResultMetadata), After: map[string]string{"status": string(to)}}, nil
		}
	}
	if gone(err) {
		return keys.Receipt{Summary: "The key was deleted already", After: map[string]string{"status": statusGone}}, nil
	}
	return keys.Receipt{}, explain(what, err)
}
