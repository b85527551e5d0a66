package report

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

// How a dependent is, as the last check says.
const (
	Healthy   = "works"
	Unhealthy = "does not work"
)

// Dependent is one place that used the key, and what became of it.
type Dependent struct {
	ID     string `json:"id"`
	Kind   string `json:"kind"`
	NewKey string `json:"new_key"` // "yes", "no"
	Health string `json:"health"`  // Healthy, Unhealthy or Unknown
	Detail string `json:"detail,omitempty"`
}

// Measure is one undoable call and how far it was felt.
type Measure struct {
	Step  string `json:"step"`
	What  string `json:"what"`
	Reach string `json:"reach"`
}

// Impact is who else felt the theft and its answer.
type Impact struct {
	Dependents []Dependent `json:"dependents"`
	Measures   []Measure   `json:"measures"`
}

func (f *Facts) impact() Impact {
	out := Impact{Dependents: []Dependent{}, Measures: []Measure{}}
	if f.Run.Key != nil {
		for _, d := range f.Run.Key.Dependents {
			out.Dependents = append(out.Dependents, Dependent{ID: d.ID, Kind: d.Kind, NewKey: "no", Health: Unknown})
		}
	}
	for _, s := range f.Steps {
		if s.Effect == signoff.EffectUndoable && s.Status == done {
			if reach, ok := field(s.Outputs, "reach").(string); ok {
				what, _ := field(s.Outputs, "summary").(string)
				out.Measures = append(out.Measures, Measure{s.Path, what, reach})
			}
		}
		id := dependentOf(s.Inputs)
		i := slices.IndexFunc(out.Dependents, func(d Dependent) bool { return d.ID == id })
		if i < 0 {
			continue
		}
		d := &out.Dependents[i]
		switch s.Action {
		case "dependent.update":
			if s.Status == done {
				d.NewKey = "yes"
			}
		case "dependent.check":
			if well, ok := field(s.Outputs, "healthy").(bool); ok {
				d.Health = Unhealthy
				if well {
					d.Health = Healthy
				}
				d.Detail, _ = field(s.Outputs, "detail").(string)
			}
		}
	}
	return out
}

func dependentOf(inputs json.RawMessage) string {
	var in struct {
		Dependent struct {
			ID string `json:"id"`
		} `json:"dependent"`
	}
	if json.Unmarshal(inputs, &in) != nil {
		return ""
	}
	return in.Dependent.ID
}

// Deed is one thing that changed something, and who answers for it.
type Deed struct {
	At     time.Time `json:"at"`
	Step   string    `json:"step"`
	Action string    `json:"action"`
	Effect string    `json:"effect"`
	Target string    `json:"target"`
	By     string    `json:"by"`
	Signed []string  `json:"signed,omitempty"` // people, under which request
	Status string    `json:"status"`
}

// byPolicy is who answers for what no person was asked about.
const byPolicy = "the policy, which lets it run by itself because it can be taken back"

// deeds lists what changed something outside, in its order.
func (f *Facts) deeds() []Deed {
	out := []Deed{}
	for _, s := range f.Steps {
		if s.Effect != signoff.EffectUndoable && s.Effect != signoff.EffectFinal || s.StartedAt.IsZero() {
			continue
		}
		d := Deed{At: s.StartedAt, Step: s.Path, Action: s.Action, Effect: s.Effect, Status: s.Status, Target: f.targetOf(s.Path), By: byPolicy}
		if c, signed := f.callOf(s.Path); signed {
			d.Target, d.By, d.Signed = c.Target, c.Request, f.signers(c.Request)
		} else if s.Effect == signoff.EffectFinal {
			d.By = "nobody: it was refused"
		}
		out = append(out, d)
	}
	slices.SortStableFunc(out, func(a, b Deed) int { return a.At.Compare(b.At) })
	return out
}

// callOf is the last call of a step that people signed.
func (f *Facts) callOf(step string) (Receipt, bool) {
	for _, c := range slices.Backward(f.Calls) {
		if c.Step == step && c.Request != "" {
			return c, true
		}
	}
	return Receipt{}, false
}

func (f *Facts) targetOf(step string) string {
	for _, u := range slices.Concat(f.InForce, f.Undone, f.Used) {
		if u.Step == step {
			return u.Target
		}
	}
	return ""
}

// signers are the people whose approvals opened a request.
func (f *Facts) signers(request string) (out []string) {
	for _, s := range f.Signoffs {
		if s.View.Request != request {
			continue
		}
		for _, d := range s.View.Decided {
			if d.Verb == signoff.Approve {
				out = append(out, or(strings.TrimSpace(d.Name), d.Person))
			}
		}
	}
	return out
}

// Who says in words who answers for a deed.
func (d Deed) Who() string {
	if len(d.Signed) == 0 {
		return d.By
	}
	return strings.Join(d.Signed, ", ") + ", who signed " + d.By
}
