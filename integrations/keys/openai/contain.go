package openai

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// The measures by which a project is stopped. None of them distinguishes the keys of a project.
const (
	MeasureSpend  = "spend_limit"
	MeasureModels = "model_deny_list"
	MeasureRates  = "rate_limits"
)

// measure is one way to stop a project. Its state is read, set and put back; what is recorded is before.
type measure struct {
	what, undo string
	read       func(*Provider, context.Context, string) (state, error)
	apply      func(*Provider, context.Context, string) (keys.Receipt, error)
}

// state of a project's setting: as fields, as an undo, and whether it stops the project already.
type state struct {
	fields map[string]string
	was    before
	done   bool
}

var measures = map[string]measure{
	MeasureSpend: {"Limit the whole project's spending to one cent a month: every key of the project is stopped", "Put the recorded spend limit back, or take the limit off",
		(*Provider).readSpend, (*Provider).stopSpend},
	MeasureModels: {"Deny the whole project every model that it has a rate limit for: every key of the project is stopped", "Put the recorded model permissions back, or take them off",
		(*Provider).readModels, (*Provider).stopModels},
	MeasureRates: {"Limit the whole project to one request a minute for each model: every key of the project crawls", "Put the recorded rate limits back",
		(*Provider).readRates, (*Provider).stopRates},
}

// before is the undo of a containment. A record without a measure is of the spend limit.
type before struct {
	Measure        string           `json:"measure,omitempty"`
	ThresholdCents int64            `json:"threshold_cents"` // the project's monthly limit, 0 for none
	Models         *permissions     `json:"models,omitempty"`
	Rates          map[string]int64 `json:"rates,omitempty"` // requests a minute by id of the rate limit
}

// State reads what op relies on.
func (p *Provider) State(ctx context.Context, op keys.Op, key incident.Key) (keys.State, error) {
	switch op {
	case keys.OpSessions:
		return keys.State{Fields: map[string]string{}, Done: true}, nil
	case keys.OpCreate:
		return keys.State{Fields: map[string]string{}}, p.mayCreate(ctx, key)
	case keys.OpRevoke:
		exists, err := p.exists(ctx, key)
		return keys.State{Fields: map[string]string{"exists": strconv.FormatBool(exists)}, Done: err == nil && !exists}, err
	}
	if isAdmin(key) {
		return keys.State{}, keys.Permanent(fmt.Errorf("the admin key %q cannot be contained: %s", key.ID, p.CanKey(op, key).Why))
	}
	st, err := measures[p.cfg.Measure].read(p, ctx, p.project(key))
	if err != nil {
		return keys.State{}, err
	}
	st.was.Measure = p.cfg.Measure
	undo, err := json.Marshal(st.was)
	return keys.State{Fields: st.fields, Done: op == keys.OpContain && st.done, Undo: undo}, err
}

func (p *Provider) exists(ctx context.Context, key incident.Key) (bool, error) {
	if isAdmin(key) {
		k, err := p.adminKey(ctx, key.ID)
		return k != nil, err
	}
	k, err := p.key(ctx, key)
	return k != nil, err
}

// mayCreate refuses a new key that would lie in a project which is stopped: it could serve nobody.
func (p *Provider) mayCreate(ctx context.Context, like incident.Key) error {
	project := p.newProject(like)
	if isAdmin(like) || project != p.project(like) {
		return nil
	}
	st, err := measures[p.cfg.Measure].read(p, ctx, project)
	if err == nil && st.done {
		err = keys.Permanent(fmt.Errorf("project %q is stopped, and a new key in it would be stopped, too; set replacement_project under providers.openai, or give the project back first", project))
	}
	return err
}

// Contain stops the key's project.
func (p *Provider) Contain(ctx context.Context, key incident.Key) (keys.Receipt, error) {
	if isAdmin(key) {
		return keys.Receipt{}, fmt.Errorf("%w: %s", keys.ErrUnsupported, p.CanKey(keys.OpContain, key).Why)
	}
	return measures[p.cfg.Measure].apply(p, ctx, p.project(key))
}

// Restore puts back what was recorded, whatever the measure is now.
func (p *Provider) Restore(ctx context.Context, key incident.Key, undo json.RawMessage) (keys.Receipt, error) {
	var was before
	if err := json.Unmarshal(undo, &was); err != nil {
		return keys.Receipt{}, keys.Permanent(fmt.Errorf("the recorded settings of project %q cannot be read, put them back by hand: %w", p.project(key), err))
	}
	switch {
	case was.Measure == MeasureModels && was.Models != nil:
		return p.restoreModels(ctx, p.project(key), *was.Models)
	case was.Measure == MeasureRates:
		return p.restoreRates(ctx, p.project(key), was.Rates)
	}
	if was.Measure != "" && was.Measure != MeasureSpend {
		return keys.Receipt{}, keys.Permanent(fmt.Errorf("the recorded settings of project %q are of a measure %q that is not known, put them back by hand", p.project(key), was.Measure))
	}
	return p.restoreSpend(ctx, p.project(key), was.ThresholdCents)
}
