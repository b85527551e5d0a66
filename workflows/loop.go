package workflows

import (
	"encoding/json"
	"fmt"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

// maxItems bounds a loop; longer lists are an error, never a hang.
const maxItems = 500

// loop runs its steps for every item of a list that is frozen before the first one. A failed item parks alone, the
// others go on; a stop starts no new items.
func (r *run) loop(ctx workflow.Context, s *scope, st *playbooks.Step) *halt {
	started := workflow.Now(ctx)
	path := s.at(st.ID)
	items, err := r.items(s, st, started)
	if err != nil {
		return r.unevaluable(ctx, s, st, err)
	}
	r.goesOver(ctx, path, st, items)
	scopes, results := make([]*scope, len(items)), make([]*halt, len(items))
	stopping, running := false, 0
	wg := workflow.NewWaitGroup(ctx)
	for i, item := range items {
		if err := workflow.Await(ctx, func() bool { return running < max(st.Loop.AtOnce, 1) || stopping }); err != nil {
			results[i] = &halt{incident.OutcomeCancelled, "cancelled"}
			break
		}
		if stopping {
			break
		}
		scopes[i] = r.itemScope(s, fmt.Sprintf("%s[%d]", path, i), st.Loop.As, item)
		running++
		wg.Add(1)
		workflow.Go(ctx, func(ctx workflow.Context) {
			defer func() { running--; wg.Done() }()
			results[i] = r.sequence(ctx, scopes[i], st.Steps)
			stopping = stopping || results[i] != nil
		})
	}
	wg.Wait(ctx)
	h := worst(results)
	s.settle(st.ID, statusOf(h), loopOutputs(st, items, scopes, results), started, workflow.Now(ctx))
	r.ended(ctx, path, st.Title, statusOf(h), whyOf(h), started)
	return h
}

// items evaluates the list, or takes the one that the sign-off froze.
func (r *run) items(s *scope, st *playbooks.Step, now time.Time) ([]any, error) {
	if frozen, ok := s.frozen[s.at(st.ID)]; ok {
		return frozen, nil
	}
	v, err := st.Loop.Over.Eval(s.env(r), now)
	if err != nil {
		return nil, fmt.Errorf("for_each: %w", err)
	}
	list, ok := v.([]any)
	if !ok && v != nil {
		return nil, fmt.Errorf("for_each gave a %T, a list was wanted", v)
	}
	if len(list) > maxItems {
		return nil, fmt.Errorf("for_each gave %d items; the limit is %d", len(list), maxItems)
	}
	return list, nil
}

// mostKept bounds what is written down of a loop's list, in bytes.
const mostKept = 64 << 10

// goesOver shows that a loop runs, and over what. No entry of the ledger says so: what happens with an item has its own.
func (r *run) goesOver(ctx workflow.Context, path string, st *playbooks.Step, items []any) {
	over := &wire.Items{As: st.Loop.As, Count: len(items)}
	for size := 0; len(over.Items) < len(items); {
		raw, err := json.Marshal(items[len(over.Items)])
		if size += len(raw); err != nil || size > mostKept {
			break
		}
		over.Items = append(over.Items, raw)
	}
	r.batch.Steps = append(r.batch.Steps, wire.StepStatus{Path: path, Title: st.Title, Status: wire.StatusRunning, At: workflow.Now(ctx), Over: over})
}

// loopOutputs is the list in item order: {item, status, steps}, where steps are those of the item alone.
func loopOutputs(st *playbooks.Step, items []any, scopes []*scope, results []*halt) []any {
	rows := make([]any, 0, len(items))
	for i, item := range items {
		row := map[string]any{"item": item, "status": statusSkipped, "steps": map[string]any{}}
		if scopes[i] != nil {
			row["status"], row["steps"] = statusOf(results[i]), own(st.Steps, scopes[i].steps, map[string]any{})
		}
		rows = append(rows, row)
	}
	return rows
}

// statusOf is the status of a step that holds others, by how they ended. An end inside it is no failure of it.
func statusOf(h *halt) string {
	switch {
	case h == nil, h.outcome == incident.OutcomeContained, h.outcome == incident.OutcomeFalseAlarm:
		return statusDone
	case h.outcome == incident.OutcomeFailed:
		return statusFailed
	}
	return statusStopped
}

func whyOf(h *halt) string {
	if h == nil {
		return ""
	}
	return h.why
}

// own picks what stands inside the loop out of what an item could see.
func own(inside []playbooks.Step, seen, into map[string]any) map[string]any {
	for i := range inside {
		if row, ok := seen[inside[i].ID]; ok {
			into[inside[i].ID] = row
		}
		if inside[i].Kind != playbooks.KindLoop {
			own(inside[i].Steps, seen, into)
		}
	}
	return into
}

// itemScope is the scope of one item, the same one when a group is asked again.
func (r *run) itemScope(s *scope, path, name string, item any) *scope {
	c := s.item(path, name, item)
	if before, ok := r.kept[path]; ok {
		c.steps = before.steps
	}
	r.kept[path] = c
	return c
}
