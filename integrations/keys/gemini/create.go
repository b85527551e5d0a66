package gemini

import (
	"context"
	"encoding/json"
	"fmt"

	apikeys "google.golang.org/api/apikeys/v2"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

const (
	labelAnnotation = "tourniquet-label"
	nameLimit       = 63 // characters of a display name
)

// Create makes a key that may call the Gemini API and nothing else, whatever the old key was allowed: a replacement
// is the moment to take away what a thief would look for. It is called once; a lost answer is found by Orphans.
func (p *Provider) Create(ctx context.Context, like incident.Key, label string) (keys.Created, error) {
	if isAccountKey(like.ID) {
		return p.createAccount(ctx, like, label)
	}
	what := fmt.Sprintf("creating a key like %q", like.ID)
	if label == "" {
		return keys.Created{}, keys.Permanent(fmt.Errorf("%s: a label is needed to find the key again", what))
	}
	op, err := p.keys.Projects.Locations.Keys.Create(p.parent(p.project(like)), &apikeys.V2Key{
		DisplayName:  displayName(like.Name, label),
		Annotations:  map[string]string{labelAnnotation: label},
		Restrictions: &apikeys.V2Restrictions{ApiTargets: []*apikeys.V2ApiTarget{{Service: generativeService}}},
	}).Context(ctx).Do()
	if err != nil {
		return keys.Created{}, explain(what, err)
	}
	if op, err = p.wait(ctx, what, op); err != nil {
		return keys.Created{}, err
	}
	var made apikeys.V2Key
	if err := json.Unmarshal(op.Response, &made); err != nil || made.Name == "" {
		return keys.Created{}, fmt.Errorf("%s: Google's operation %q is done but names no key", what, op.Name)
	}
	value, err := p.value(ctx, made.Name)
	if err != nil {
		return keys.Created{}, err
	}
	key := p.noun(&made, hintOf(value))
	key.Project = p.project(like)
	return keys.Created{Key: key, Secret: []byte(value), Receipt: keys.Receipt{
		RequestID: op.Name, Summary: fmt.Sprintf("Created the key %q, which may call the Gemini API only", key.Name),
		After: map[string]string{"exists": "true", "deleted": "false", "uid": key.UID},
	}}, nil
}

// Orphans lists the living keys that Create made under label.
func (p *Provider) Orphans(ctx context.Context, like incident.Key, label string) ([]incident.Key, error) {
	if isAccountKey(like.ID) {
		return p.accountOrphans(ctx, like, label)
	}
	all, err := p.list(ctx, p.project(like))
	if err != nil {
		return nil, err
	}
	var found []incident.Key
	for _, k := range all {
		if label != "" && k.Annotations[labelAnnotation] == label && k.DeleteTime == "" {
			key := p.noun(k, "")
			key.Project = p.project(like)
			found = append(found, key)
		}
	}
	return found, nil
}

func (p *Provider) project(like incident.Key) string {
	if like.Project != "" {
		return like.Project
	}
	return p.cfg.Project
}

// displayName keeps the label whole and cuts the old name.
func displayName(old, label string) string {
	suffix := []rune(" (" + label + ")")
	if len(suffix) > nameLimit {
		return string(suffix[2 : nameLimit+1])
	}
	name := []rune(old)
	if len(name) > nameLimit-len(suffix) {
		name = name[:nameLimit-len(suffix)]
	}
	return string(name) + string(suffix)
}
