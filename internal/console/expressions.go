package console

import (
	"encoding/json"
	"fmt"
	"maps"
	"strconv"
	"strings"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/report"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

// seen is one expression of a step and what it gave.
type seen struct {
	Name string // of the input, or if, until, for_each
	Text string
	Gave string
}

// expressions says for each step of a run what its expressions gave. The values of inputs are those that were recorded with
// the call. Conditions are not recorded; they are worked out again from the records as they stood when the step began.
type expressions struct {
	f   *report.Facts
	p   *playbooks.Program
	env map[string]any

	byID map[string][]int // places of steps under the last part of their path
}

func newExpressions(f *report.Facts, p *playbooks.Program) *expressions {
	e := &expressions{f: f, p: p, env: map[string]any{"vars": map[string]any{}, "inputs": map[string]any{}, "steps": map[string]any{}}, byID: map[string][]int{}}
	for i, s := range f.Steps {
		e.byID[lastOf(s.Path)] = append(e.byID[lastOf(s.Path)], i)
	}
	if len(f.Alerts) > 0 {
		e.env["alert"] = f.Alerts[0].Alert.Fields()
		e.env["incident"] = map[string]any{"id": f.Run.Incident, "title": f.Alerts[0].Alert.Title, "opened_at": f.Run.StartedAt, "severity": f.Alerts[0].Alert.Severity}
	}
	e.env["run"] = map[string]any{"id": f.Run.ID, "incident": f.Run.Incident, "number": f.Run.Number, "mode": f.Run.Mode, "started_at": f.Run.StartedAt,
		"playbook": f.Run.Playbook, "world": f.Run.World, "starter": f.Run.Starter, "outcome": f.Run.Outcome}
	if f.Run.Key != nil {
		e.env["key"] = plainMap(f.Run.Key)
	}
	return e
}

func lastOf(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

// of gives the expressions of one step of the run.
func (e *expressions) of(row database.StepRow) (out []seen) {
	st := find(e.p, row.Path)
	if st == nil {
		return nil
	}
	if st.If != "" {
		out = append(out, seen{"if", st.If, e.condition(st.If, row)})
	}
	if st.Loop != nil {
		over, _ := overOf(row)
		out = append(out, seen{"for_each", st.Loop.Over.Written(), report.Counted(over.Count, "item", "items")})
	}
	if st.Action == nil {
		return out
	}
	inputs := map[string]json.RawMessage{}
	_ = json.Unmarshal(row.Inputs, &inputs) // inputs in another shape are shown as they are
	for _, b := range st.Action.With {
		text, given := b.Value.Written(), inputs[b.Name]
		if b.Value.Fixed() || given == nil {
			continue
		}
		out = append(out, seen{b.Name, text, string(given)})
	}
	if st.Action.Until != "" {
		out = append(out, seen{"until", st.Action.Until, until(row)})
	}
	return out
}

func until(row database.StepRow) string {
	if row.Status == "done" {
		return "held at attempt " + strconv.Itoa(max(row.Attempt, 1))
	}
	return "did not hold"
}

// condition works out an if over what had settled before the step.
func (e *expressions) condition(code string, row database.StepRow) string {
	env := maps.Clone(e.env)
	maps.Copy(env, e.items(row.Path))
	steps, now := map[string]any{}, row.StartedAt
	if now.IsZero() {
		now = row.FinishedAt
	}
	for _, ref := range playbooks.References(code) {
		for _, i := range e.byID[ref.Step] {
			s := e.f.Steps[i]
			if s.FinishedAt.IsZero() || s.FinishedAt.After(now) || !strings.HasPrefix(row.Path, itemOf(s.Path)) {
				continue // later, or of another item of the loop
			}
			var outputs any
			_ = json.Unmarshal(s.Outputs, &outputs) // none reads as nothing
			steps[ref.Step] = map[string]any{"status": s.Status, "outputs": outputs, "started_at": s.StartedAt, "finished_at": s.FinishedAt}
		}
	}
	env["steps"] = steps
	return strings.Join(playbooks.Explain(code, env, now).Lines(), "\n")
}

// items are the values of the loops around a step, under the names that the playbook gave them.
func (e *expressions) items(path string) map[string]any {
	out := map[string]any{}
	for at := itemOf(path); at != ""; at = itemOf(at[:strings.LastIndexByte(at, '[')]) {
		loop, n := at[:strings.LastIndexByte(at, '[')], 0
		_, _ = fmt.Sscanf(at[len(loop):], "[%d]", &n)
		for _, i := range e.byID[lastOf(loop)] {
			over, ok := overOf(e.f.Steps[i])
			var item any
			if e.f.Steps[i].Path == loop && ok && n < len(over.Items) && json.Unmarshal(over.Items[n], &item) == nil && out[over.As] == nil {
				out[over.As] = item
			}
		}
	}
	return out
}

// itemOf is the path of the innermost loop item that a step lies in, empty outside of loops.
func itemOf(path string) string { return path[:strings.LastIndexByte(path, ']')+1] }

// find follows a path of ids through groups, loops (whose items stand behind their ids, as all[2]) and sub-playbooks.
func find(p *playbooks.Program, path string) *playbooks.Step {
	if p == nil {
		return nil
	}
	level := [][]playbooks.Step{p.Steps, p.OnFailure, p.Finally}
	var at *playbooks.Step
	for _, id := range strings.Split(path, "/") {
		id, _, _ = strings.Cut(id, "[")
		next := pick(level, id)
		if next == nil {
			return nil
		}
		at, level = next, [][]playbooks.Step{next.Steps}
		if next.Sub != nil {
			level = append(level, next.Sub.Steps, next.Sub.OnFailure, next.Sub.Finally)
		}
	}
	return at
}

func pick(level [][]playbooks.Step, id string) *playbooks.Step {
	for _, steps := range level {
		for i := range steps {
			if steps[i].ID == id {
				return &steps[i]
			}
		}
	}
	return nil
}

func plainMap(v any) map[string]any {
	out := map[string]any{}
	raw, err := json.Marshal(v)
	if err == nil {
		_ = json.Unmarshal(raw, &out) // our own bytes
	}
	return out
}

// statuses is the status of each step for the picture of the playbook. The picture shows a loop's body once: what went worst in any
// of its items.
func statuses(rows []database.StepRow) map[string]string {
	out := map[string]string{}
	for _, r := range rows {
		path := withoutItems(r.Path)
		if worse(r.Status, out[path]) {
			out[path] = r.Status
		}
	}
	return out
}

func withoutItems(path string) string {
	var kept []string
	for _, id := range strings.Split(path, "/") {
		id, _, _ = strings.Cut(id, "[")
		kept = append(kept, id)
	}
	return strings.Join(kept, "/")
}

func worse(a, b string) bool {
	order := []string{"", "skipped", "done", "declined", "running", "waiting", "stopped", "failed"}
	at := func(s string) int {
		for i, o := range order {
			if s == o {
				return i
			}
		}
		return len(order) - 2
	}
	return at(a) > at(b)
}
