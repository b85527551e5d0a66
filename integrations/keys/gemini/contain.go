package gemini

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"

	apikeys "google.golang.org/api/apikeys/v2"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// The two locks of containment; doc.go says why these.
const (
	lockedService = "apikeys.googleapis.com"
	lockedAddress = "192.0.2.1"
)

func locked() *apikeys.V2Restrictions {
	return &apikeys.V2Restrictions{
		ApiTargets:            []*apikeys.V2ApiTarget{{Service: lockedService}},
		ServerKeyRestrictions: &apikeys.V2ServerKeyRestrictions{AllowedIps: []string{lockedAddress}},
	}
}

// before is the undo of a containment: the restrictions as they were, nil for none.
type before struct {
	Restrictions *apikeys.V2Restrictions `json:"restrictions"`
}

// State reads what op relies on.
func (p *Provider) State(ctx context.Context, op keys.Op, key incident.Key) (keys.State, error) {
	if isAccountKey(key.ID) {
		return p.accountState(ctx, op, key)
	}
	if op == keys.OpSessions {
		return keys.State{Fields: map[string]string{}, Done: true}, nil
	}
	if p.cfg.Measure == MeasureService && (op == keys.OpContain || op == keys.OpRestore) {
		return p.ProjectState(ctx)
	}
	k, err := p.key(ctx, p.resource(key))
	if err != nil {
		return keys.State{}, err
	}
	if op == keys.OpRevoke || op == keys.OpCreate {
		return existence(op, k), nil
	}
	if k == nil {
		return keys.State{}, keys.Permanent(fmt.Errorf("Google knows no key %q in project %q: it was purged, or it belongs to another project", key.ID, key.Project))
	}
	undo, err := json.Marshal(before{Restrictions: k.Restrictions})
	if err != nil {
		return keys.State{}, err
	}
	fields, err := restrictionFields(k)
	if err != nil {
		return keys.State{}, err
	}
	done := op == keys.OpContain && (k.DeleteTime != "" || isLocked(k))
	return keys.State{Fields: fields, Done: done, Undo: undo}, nil
}

// existence leaves the restrictions out: containing a key must not make the plan of its deletion stale.
func existence(op keys.Op, k *apikeys.V2Key) keys.State {
	fields := map[string]string{"exists": strconv.FormatBool(k != nil), "deleted": "true", "uid": ""}
	if k != nil {
		fields["deleted"], fields["uid"] = strconv.FormatBool(k.DeleteTime != ""), k.Uid
	}
	return keys.State{Fields: fields, Done: op == keys.OpRevoke && fields["deleted"] == "true"}
}

func restrictionFields(k *apikeys.V2Key) (map[string]string, error) {
	limits := k.Restrictions
	if limits == nil {
		limits = &apikeys.V2Restrictions{} // Google answers both for "no restriction"
	}
	text, err := json.Marshal(limits)
	if err != nil {
		return nil, err
	}
	return map[string]string{"restrictions": string(text), "deleted": strconv.FormatBool(k.DeleteTime != "")}, nil
}

func isLocked(k *apikeys.V2Key) bool {
	return k.Restrictions != nil && reflect.DeepEqual(k.Restrictions.ApiTargets, locked().ApiTargets) &&
		reflect.DeepEqual(k.Restrictions.ServerKeyRestrictions, locked().ServerKeyRestrictions)
}

// Contain takes every API and every caller from the key. A deleted key is left alone: it is beyond restricting.
func (p *Provider) Contain(ctx context.Context, key incident.Key) (keys.Receipt, error) {
	switch {
	case isAccountKey(key.ID):
		return p.containAccount(ctx, key)
	case p.cfg.Measure == MeasureService:
		return p.StopProject(ctx)
	}
	what := fmt.Sprintf("restricting the key %q", key.ID)
	receipt, err := p.restrict(ctx, what, key, locked())
	if err == nil {
		receipt.Summary = "The key can call no API from any address"
		return receipt, nil
	}
	if k, readErr := p.key(ctx, p.resource(key)); readErr == nil && k != nil && k.DeleteTime != "" {
		fields, err := restrictionFields(k)
		return keys.Receipt{Summary: "The key was deleted already, at " + k.DeleteTime, After: fields}, err
	}
	return keys.Receipt{}, err
}

// Restore puts the recorded restrictions back and undeletes the key where it is deleted.
func (p *Provider) Restore(ctx context.Context, key incident.Key, undo json.RawMessage) (keys.Receipt, error) {
	switch {
	case isAccountKey(key.ID):
		return p.restoreAccount(ctx, key, undo)
	case isServiceUndo(undo): // whatever the measure is by now
		return p.StartProject(ctx, undo)
	}
	var was before
	if err := json.Unmarshal(undo, &was); err != nil {
		return keys.Receipt{}, keys.Permanent(fmt.Errorf("the recorded restrictions of the key %q cannot be read, put them back by hand: %w", key.ID, err))
	}
	k, err := p.key(ctx, p.resource(key))
	if err != nil {
		return keys.Receipt{}, err
	}
	if k == nil {
		return keys.Receipt{}, keys.Permanent(fmt.Errorf("the key %q is gone: Google keeps deleted keys for 30 days", key.ID))
	}
	summary := "The key has its recorded restrictions again"
	if k.DeleteTime != "" {
		what := fmt.Sprintf("undeleting the key %q", key.ID)
		op, err := p.keys.Projects.Locations.Keys.Undelete(p.resource(key), &apikeys.V2UndeleteKeyRequest{}).Context(ctx).Do()
		if err != nil {
			return keys.Receipt{}, explain(what, err)
		}
		if _, err := p.wait(ctx, what, op); err != nil {
			return keys.Receipt{}, err
		}
		summary = "The key is undeleted and has its recorded restrictions again"
	}
	receipt, err := p.restrict(ctx, fmt.Sprintf("putting back the restrictions of the key %q", key.ID), key, was.Restrictions)
	receipt.Summary = summary
	return receipt, err
}

// isServiceUndo tells the record of a switched service from that of a key's restrictions.
func isServiceUndo(undo json.RawMessage) bool {
	var was wasService
	return json.Unmarshal(undo, &was) == nil && was.State != ""
}

// restrict replaces the key's restrictions; nil takes them all off.
func (p *Provider) restrict(ctx context.Context, what string, key incident.Key, limits *apikeys.V2Restrictions) (keys.Receipt, error) {
	op, err := p.keys.Projects.Locations.Keys.Patch(p.resource(key), &apikeys.V2Key{Restrictions: limits}).UpdateMask("restrictions").Context(ctx).Do()
	if err != nil {
		return keys.Receipt{}, explain(what, err)
	}
	if op, err = p.wait(ctx, what, op); err != nil {
		return keys.Receipt{}, err
	}
	after, err := restrictionFields(&apikeys.V2Key{Restrictions: limits})
	return keys.Receipt{RequestID: op.Name, After: after}, err
}
