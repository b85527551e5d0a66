package activities

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strings"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

const actionDiscard = "key.discard"

func keyDiscard() Action {
	return Action{
		Card: playbooks.Card{
			Name: actionDiscard, Effect: signoff.EffectFinal, Repeat: true, Timeout: "60s", Attempts: 1, TargetInput: "step",
			Summary: "Delete a key that this run made and that nobody uses; never the key in whose place it was made, and never one that a dependent has by now",
			Inputs:  []playbooks.Field{{Name: "step", Type: playbooks.TypeString, Required: true, Doc: "path of the step that made the key"}},
			Outputs: []playbooks.Field{{Name: "summary", Type: playbooks.TypeString, Required: true, Doc: "what was deleted"}},
			Example: map[string]any{"summary": "The unused key was deleted"},
		},
		Op:     keys.OpRevoke,
		DryRun: dryDiscard,
		Run:    discard,
		Landed: discardLanded,
	}
}

// made is the way back from the creation of a key, written down before there is one.
type made struct {
	Like  incident.Key `json:"like"`
	Label string       `json:"label"`
}

func madeRecord(in In, like incident.Key) (json.RawMessage, error) {
	like.Secret, like.Dependents = nil, nil
	return json.Marshal(made{like, createLabel(in)})
}

// leftKey is a new key as the undo record keeps it.
func leftKey(k incident.Key) map[string]string {
	left := map[string]string{"id": k.ID, "hint": k.Hint}
	for name, value := range map[string]string{"uid": k.UID, "project": k.Project, "name": k.Name} {
		if value != "" {
			left[name] = value
		}
	}
	if k.Secret != nil {
		left["sealed"] = k.Secret.Handle
	}
	return left
}

func named(k incident.Key) string { return k.Target() + " (" + k.Hint + ")" }

// unused is what one step made and what may be deleted of it. Where the answer to the creation was lost the new key is found
// by its label.
type unused struct {
	database.UndoRow
	made
	provider keys.Provider
	keys     []incident.Key
}

func (h *House) unusedOf(ctx context.Context, in In) (u unused, err error) {
	rows, err := h.DB.Undos(ctx, in.Run)
	if err != nil {
		return u, err
	}
	found := false
	for _, r := range rows {
		if r.Action == actionDiscard && r.Step == in.Text("step") {
			u.UndoRow, found = r, true
		}
	}
	if !found {
		return u, keys.Permanent(fmt.Errorf("this run has no record of a key that step %q made", in.Text("step")))
	}
	if err := json.Unmarshal(u.Undo, &u.made); err != nil {
		return u, keys.Permanent(fmt.Errorf("the undo record of %s cannot be read", u.Step))
	}
	if u.provider, err = h.provider(u.Like); err != nil {
		return u, err
	}
	if len(u.UsedBy) > 0 {
		return u, keys.Permanent(fmt.Errorf("the key that %s made (%s) is not unused: %s has it by now, so it is not deleted; give them another key first",
			u.Step, u.Target, strings.Join(u.UsedBy, ", ")))
	}
	if l := u.Left; l != nil {
		u.keys = []incident.Key{{ID: l["id"], UID: l["uid"], Project: l["project"], Name: l["name"], Hint: l["hint"]}}
	} else if u.keys, err = u.provider.Orphans(ctx, u.Like, u.Label); err != nil {
		return u, err
	}
	for i := range u.keys {
		u.keys[i].Provider, u.keys[i].Account, u.keys[i].Owner = u.Like.Provider, u.Like.Account, u.Like.Owner
		if u.keys[i].ID == u.Like.ID {
			return u, keys.Permanent(fmt.Errorf("the record of %s names the key %s itself, in whose place one was to be made: it is not deleted here", u.Step, u.Like.Target()))
		}
	}
	return u, nil
}

func dryDiscard(ctx context.Context, h *House, in In) (Entry, error) {
	u, err := h.unusedOf(ctx, in)
	if err != nil {
		return Entry{}, err
	}
	e := Entry{Target: u.Target, Reach: keys.ReachKey, State: map[string]string{}, Done: true, Before: "there is no such key", After: "there is no such key"}
	for _, k := range u.keys {
		c := keys.CanFor(u.provider, keys.OpRevoke, k)
		if !c.Available {
			return Entry{}, keys.Permanent(&unavailable{what: "delete", who: k.Provider, why: c.Why})
		}
		st, err := u.provider.State(ctx, keys.OpRevoke, k)
		if err != nil {
			return Entry{}, err
		}
		maps.Copy(e.State, st.Fields)
		e.State["key"] = strings.TrimSpace(e.State["key"] + " " + named(k))
		e.Done = e.Done && st.Done
		e.Before, e.After = fieldsInWords(e.State), c.What+". It was made in place of "+named(u.Like)+", which stays as it is"
	}
	return e, nil
}

func discard(ctx context.Context, h *House, in In) (Output, error) {
	u, err := h.unusedOf(ctx, in)
	if err != nil {
		return Output{}, err
	}
	if len(u.keys) == 0 {
		return discarded(ctx, h, in, u, "", "No key of "+u.Step+" is left, so there is none to delete")
	}
	var texts []string
	request := ""
	for _, k := range u.keys {
		got, err := u.provider.Revoke(ctx, k)
		if err != nil {
			return Output{}, err
		}
		texts, request = append(texts, "The unused key "+named(k)+": "+got.Summary), got.RequestID
	}
	return discarded(ctx, h, in, u, request, strings.Join(texts, "; "))
}

// discarded shreds the value of a key that is gone, and writes down that its creation was taken back.
func discarded(ctx context.Context, h *House, in In, u unused, request, text string) (Output, error) {
	if handle := u.Left["sealed"]; handle != "" {
		if err := h.DB.Shred(ctx, handle); err != nil {
			return Output{}, err
		}
	}
	return Output{Summary: text, Request: request, Values: map[string]any{"summary": text}}, h.DB.MarkUndone(ctx, in.Run, u.Step)
}

// discardLanded: a key that is gone was deleted by the call whose answer was lost, or by somebody who was faster.
func discardLanded(ctx context.Context, h *House, in In, now Entry, _ map[string]string) (Output, bool, error) {
	if !now.Done {
		return Output{}, false, nil
	}
	u, err := h.unusedOf(ctx, in)
	if err != nil {
		return Output{}, false, err
	}
	out, err := discarded(ctx, h, in, u, "", "The unused key is deleted; the answer to the first call was lost")
	return out, err == nil, err
}

// takenOver writes down that a dependent has a key that this run made, or may have it: from then on the key is not taken back.
// The answer names the step that made the key; empty where it was made elsewhere.
func (h *House) takenOver(ctx context.Context, in In, k incident.Key, by string, used bool) (step string, err error) {
	rows, err := h.DB.Undos(ctx, in.Run)
	if err != nil {
		return "", err
	}
	for _, r := range rows {
		var m made
		if r.Action != actionDiscard || r.Left["id"] != k.ID || json.Unmarshal(r.Undo, &m) != nil || m.Like.Provider != k.Provider || m.Like.Account != k.Account {
			continue
		}
		return r.Step, h.DB.SetUndoUse(ctx, in.Run, r.Step, by, used)
	}
	return "", nil
}

// releases writes down that a dependent that was put back has none of this run's new keys any more.
func (h *House) releases(ctx context.Context, in In, by string) error {
	rows, err := h.DB.Undos(ctx, in.Run)
	if err != nil {
		return err
	}
	for _, r := range rows {
		if r.Action != actionDiscard {
			continue
		}
		if err := h.DB.SetUndoUse(ctx, in.Run, r.Step, by, false); err != nil {
			return err
		}
	}
	return nil
}
