package workflows

import (
	"encoding/json"
	"fmt"

	"go.temporal.io/sdk/workflow"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

// identifyStep is the step that every run with a key begins with.
func identifyStep() *playbooks.Step {
	return &playbooks.Step{ID: "identify", Title: "Which key is it?", Kind: playbooks.KindAction, Action: &playbooks.Action{
		Uses: "key.identify", Effect: signoff.EffectObserve, Local: true, OnError: playbooks.OnErrorAsk,
		Retry: playbooks.Retry{Attempts: 5},
	}}
}

// identify resolves the key. A hint that fits several keys is a question to the responders: it never takes the first.
func (r *run) identify(ctx workflow.Context) *halt {
	st := identifyStep()
	started := workflow.Now(ctx)
	with := map[string]any{}
	for attempt := 1; ; attempt++ {
		res, err := r.invoke(ctx, st.Action, r.call(ctx, r.root, st, with, attempt))
		if err != nil {
			again, h := r.onError(ctx, r.root, st, err, attempt)
			if again {
				continue
			}
			if h == nil {
				h = &halt{incident.OutcomeFailed, "no key could be identified"}
			}
			return h
		}
		if joined, _ := res.Outputs["joined"].(string); joined != "" {
			return &halt{incident.OutcomeJoined, "incident " + joined + " already answers for this key"}
		}
		several, _ := res.Outputs["several"].([]any)
		if len(several) == 0 {
			r.done(ctx, r.root, st, with, res, started)
			return r.takeKey(res.Outputs["key"])
		}
		choice, h := r.chooseKey(ctx, st, several, attempt)
		if h != nil {
			return h
		}
		with = map[string]any{"choose": choice}
	}
}

// chooseKey asks which of several keys it is.
func (r *run) chooseKey(ctx workflow.Context, st *playbooks.Step, several []any, attempt int) (string, *halt) {
	choices := make([]string, 0, len(several)+1)
	for _, k := range several {
		if text, ok := k.(string); ok {
			choices = append(choices, text)
		}
	}
	choices = append(choices, choiceStop)
	got := r.question(ctx, wire.Question{
		Step: st.ID, Kind: "key", From: r.in.Policy.Responders, Title: "Which key was stolen?",
		Prompt:  fmt.Sprintf("The hint fits %d keys. Nothing is contained until somebody says which one it is.", len(several)),
		Choices: choices,
	}, attempt)
	if ctx.Err() != nil {
		return "", &halt{incident.OutcomeCancelled, "cancelled before anybody named the key"}
	}
	if got.Answer == choiceStop || got.Answer == "" {
		return "", &halt{incident.OutcomeStopped, "nobody named the key"}
	}
	return got.Answer, nil
}

func (r *run) takeKey(v any) *halt {
	raw, err := json.Marshal(v)
	if err == nil {
		var k incident.Key
		if err = json.Unmarshal(raw, &k); err == nil && k.ID != "" {
			if k.Dependents == nil {
				k.Dependents = []incident.Dependent{}
			}
			r.key = &k
			return nil
		}
	}
	return &halt{incident.OutcomeFailed, "key.identify gave no key"}
}
