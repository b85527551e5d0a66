package workflows

import (
	"encoding/json"
	"maps"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

// scope is what an expression sees at one place: the steps that have settled there, and the loop names.
type scope struct {
	path    string // of the enclosing step, "" at the top
	steps   map[string]any
	vars    map[string]any
	inputs  map[string]any
	names   []playbooks.Binding // loop names with their item as a literal
	grant   *signoff.Grant      // inside a signed group
	program *playbooks.Program  // whose steps these are
	frozen  map[string][]any    // lists of loops, frozen when the sign-off was prepared
}

func newScope(p *playbooks.Program) *scope {
	return &scope{program: p, steps: map[string]any{}, vars: map[string]any{}, frozen: map[string][]any{}}
}

// in is the same scope one floor down.
func (s *scope) in(path string) *scope {
	c := *s
	c.path = path
	return &c
}

// item is the scope of one loop item: it sees what was there before and keeps its own steps.
func (s *scope) item(path, name string, value any) *scope {
	c := s.in(path)
	c.steps = maps.Clone(s.steps)
	c.names = append(append([]playbooks.Binding{}, s.names...), playbooks.Binding{Name: name, Value: playbooks.Value{Kind: "lit", Lit: value}})
	return c
}

// at is the path of a step with this id here.
func (s *scope) at(id string) string {
	if s.path == "" {
		return id
	}
	return s.path + "/" + id
}

// env is what expressions see.
func (s *scope) env(r *run) map[string]any {
	inputs := s.inputs
	if inputs == nil {
		inputs = r.in.Inputs
	}
	env := map[string]any{
		"alert": r.alerts[0], "steps": s.steps, "vars": s.vars, "inputs": inputs,
		"incident": map[string]any{"id": r.in.Run.Incident, "title": r.in.Alert.Title, "opened_at": r.in.Run.StartedAt, "severity": r.severity, "alerts": r.alerts},
		"run": map[string]any{"id": r.in.Run.ID, "incident": r.in.Run.Incident, "number": r.in.Run.Number,
			"mode": r.in.Run.Mode, "started_at": r.in.Run.StartedAt, "playbook": r.in.Program.ID, "world": r.in.Run.World, "starter": r.in.Run.Starter, "outcome": r.outcome},
	}
	if r.key != nil {
		env["key"] = toMap(r.key)
	}
	for _, n := range s.names {
		env[n.Name] = n.Value.Lit
	}
	return env
}

// settle writes down how a step ended, for later expressions.
func (s *scope) settle(id, status string, outputs any, started, finished time.Time) {
	row := map[string]any{"status": status, "started_at": started, "finished_at": finished}
	if outputs != nil {
		row["outputs"] = outputs
	} else {
		row["outputs"] = nil
	}
	s.steps[id] = row
}

// status of a settled step, "" if it has not settled here.
func (s *scope) status(id string) string {
	row, ok := s.steps[id].(map[string]any)
	if !ok {
		return ""
	}
	got, _ := row["status"].(string)
	return got
}

// joined is a later alert as expressions see it; what it does not say is there, too, and empty.
func joined(alert map[string]any) map[string]any {
	var a incident.Alert
	raw, err := json.Marshal(alert)
	if err == nil {
		err = json.Unmarshal(raw, &a)
	}
	if err != nil {
		a = incident.Alert{} // it came as no alert of ours
	}
	return a.Fields()
}

// toMap gives a value in the shape that expressions and JSON share.
func toMap(v any) map[string]any {
	raw, err := json.Marshal(v)
	if err != nil {
		return map[string]any{}
	}
	out := map[string]any{}
	if json.Unmarshal(raw, &out) != nil {
		return map[string]any{}
	}
	return out
}
