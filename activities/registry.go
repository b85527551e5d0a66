package activities

import (
	"fmt"
	"slices"
	"strings"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/worker"

	"github.com/tourniquet-ir/tourniquet/internal/wire"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

// All is every action, in the order in which docs list them.
func All() []Action {
	return []Action{
		keyIdentify(), keyContain(), keyRestore(), keyProbe(), keyCreate(), keyDiscard(), keyRevoke(), sessionsRevoke(), sessionsRestore(), projectStop(), projectProbe(), projectStart(),
		usageSnapshot(), persistenceScan(), dependentUpdate(), dependentRestore(), dependentCheck(),
		incidentOpen(), incidentUpdate(), incidentClose(), incidentReport(), ownersNotify(), peoplePage(), webhookSend(),
	}
}

// Catalog is what the language knows of the actions.
func Catalog() playbooks.Catalog {
	c := playbooks.Catalog{}
	for _, a := range All() {
		c[a.Card.Name] = a.Card
	}
	return c
}

// Open checks the actions and makes the house ready.
func (h *House) Open() error {
	h.actions = map[string]Action{}
	for _, a := range All() {
		if _, twice := h.actions[a.Card.Name]; twice {
			return fmt.Errorf("two actions are named %q", a.Card.Name)
		}
		if a.changes() && a.DryRun == nil {
			return fmt.Errorf("action %q changes something but has no dry run", a.Card.Name)
		}
		h.actions[a.Card.Name] = a
	}
	return nil
}

// Register puts every action under its own name on a worker, so that Temporal's pages read like the playbook.
func (h *House) Register(w worker.Registry) {
	for name := range h.actions {
		w.RegisterActivityWithOptions(h.execute, activity.RegisterOptions{Name: name})
	}
	for name, fn := range map[string]any{
		wire.FreezeSignoff: h.freeze, wire.AskSignoff: h.askSignoff, wire.SettleSignoff: h.settleSignoff, wire.RemindSignoff: h.remind,
		wire.RecheckSignoff: h.recheckSignoff, wire.VoidRun: h.voidRun,
		wire.OpenQuestion: h.openQuestion, wire.SettleQuestion: h.settleQuestion,
		wire.Record: h.record, wire.Burn: h.burn, wire.CloseRun: h.closeRun, wire.Preview: h.preview, wire.WatchSweep: h.sweep,
	} {
		w.RegisterActivityWithOptions(fn, activity.RegisterOptions{Name: name})
	}
}

// action finds one by name.
func (h *House) action(name string) (Action, error) {
	if a, ok := h.actions[name]; ok {
		return a, nil
	}
	names := make([]string, 0, len(h.actions))
	for n := range h.actions {
		names = append(names, n)
	}
	slices.Sort(names)
	return Action{}, fmt.Errorf("no action is named %q; there are %s", name, strings.Join(names, ", "))
}
