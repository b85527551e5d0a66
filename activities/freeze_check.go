package activities

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.temporal.io/sdk/activity"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

// mayAsk refuses what no run of ours asks for: a request in the name of another workflow, with keys that we do not trust,
// or under the policy of undos for something that undoes nothing.
func (h *House) mayAsk(ctx context.Context, ask wire.Freeze) error {
	if err := h.mine(ctx, ask.Run); err != nil {
		return err
	}
	bad := func(format string, args ...any) error {
		return h.refuseCall(ctx, wire.Call{Run: ask.Run, Step: ask.Step, Action: wire.FreezeSignoff}, "bad_request", fmt.Sprintf(format, args...))
	}
	if id := activity.GetInfo(ctx).WorkflowExecution.ID; id != ask.WorkflowID {
		return bad("the request names the workflow %q and comes from %q", ask.WorkflowID, id)
	}
	if len(ask.PublicKeys) == 0 {
		return bad("the request carries no public keys, so nobody's decision could be checked")
	}
	for _, id := range slices.Sorted(maps.Keys(ask.PublicKeys)) {
		if h.Trusted[id] != ask.PublicKeys[id] {
			return bad("the request carries a public key %q that this installation does not trust", id)
		}
	}
	if !ask.Undo {
		return nil
	}
	rows, err := h.DB.Undos(ctx, ask.Run)
	if err != nil {
		return err
	}
	for _, c := range ask.Calls {
		if !slices.ContainsFunc(rows, func(r database.UndoRow) bool { return r.Action == c.Action && r.Step == c.With["step"] }) {
			return bad("%s at %q undoes nothing that this run has done, so the policy of undos is not for it", c.Action, c.Step)
		}
	}
	return nil
}

// laterTarget refuses a final call whose target does not exist yet: people sign for things that they can look at.
func laterTarget(c playbooks.Card, p wire.Planned) error {
	m, _ := p.With[c.TargetInput].(map[string]any)
	if _, later := m[signoff.LaterKey]; later && c.Effect == signoff.EffectFinal {
		return refuse(wire.ErrPermanent, fmt.Sprintf("the target of %s at %q is made by the same sign-off; nobody can sign for what does not exist yet", c.Name, p.Step))
	}
	return nil
}

// parties are the people behind this request's parts, by our own records and the inventory: the owners of the run's key
// and of every key that a call is about.
func (h *House) parties(ask wire.Freeze, run incident.Run) signoff.Parties {
	who := signoff.Parties{Starter: run.Starter}
	of := run.Key
	if of == nil {
		of = ask.Key
	}
	if of != nil {
		who.KeyOwner = h.known(*of).Owner
	}
	for _, c := range ask.Calls {
		for _, name := range slices.Sorted(maps.Keys(c.With)) {
			if k, err := (In{wire.Call{With: c.With}}).Key(name); err == nil {
				if owner := h.known(k).Owner; owner != "" && owner != who.KeyOwner {
					who.Owners = append(who.Owners, owner)
				}
			}
		}
	}
	return who
}

// asked anew, people are told why, and what of the first plan is done and what is not.
func (h *House) anew(ctx context.Context, ask wire.Freeze) ([]string, error) {
	if ask.Again == "" {
		return nil, nil
	}
	rows, err := h.DB.Calls(ctx, ask.Run)
	if err != nil {
		return nil, err
	}
	lines := []string{"asked anew, because " + ask.Again}
	for _, r := range rows {
		if r.Step != ask.Step && !strings.HasPrefix(r.Step, ask.Step+"/") && !strings.HasPrefix(r.Step, ask.Step+"[") {
			continue
		}
		state := map[string]string{database.CallDone: "done already", database.CallFailed: "failed before", database.CallStarted: "sent before, outcome unknown"}[r.State]
		lines = append(lines, fmt.Sprintf("%s: %s on %s", state, r.Action, r.Target))
	}
	return append(lines, fmt.Sprintf("remaining: the %d calls of this request", len(ask.Calls))), nil
}
