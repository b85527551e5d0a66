package workflows_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/diag"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

// bite is one key of the language, written in two ways: § in the playbook stands for a or for b. What happens must differ.
type bite struct {
	src, a, b string
	moves     func() []*move
	tune      func(*drive)
}

// TestEveryKeyOfTheLanguageBites: a key that is declared and never enforced is worse than none. Whoever adds a key has to
// say here what it changes.
func TestEveryKeyOfTheLanguageBites(t *testing.T) {
	t.Parallel()
	cases := bites()
	for _, c := range playbooks.Clauses() {
		for _, k := range c.Keys {
			name := c.Name + "." + k.Name
			one, ok := cases[name]
			if !ok {
				t.Errorf("no case says what the key %s changes", name)
				continue
			}
			delete(cases, name)
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				a, b := one.play(t, one.a), one.play(t, one.b)
				if a == b {
					t.Errorf("it makes no difference whether it is %q or %q:\n%s", one.a, one.b, a)
				}
				if strings.HasPrefix(a, "refused") {
					t.Errorf("%q is %s", one.a, a)
				}
			})
		}
	}
	for name := range cases {
		t.Errorf("there is no key %s", name)
	}
}

// play is everything that a reader or the world sees of a run, as text.
func (x bite) play(t *testing.T, with string) string {
	t.Helper()
	src := strings.ReplaceAll(x.src, "§", with)
	d := newDrive(t)
	d.others = map[string][]byte{
		"inner": []byte("schema: tourniquet/v1\nid: inner\ntitle: t\ninputs: { say: { type: string } }\nsteps:\n  - { id: told, uses: incident.update, with: { text: \"${{ inputs.say ?? 'nothing' }}\" } }\n"),
		"other": []byte("schema: tourniquet/v1\nid: other\ntitle: t\nsteps:\n  - { id: looked, uses: key.probe, with: { key: \"${{ key }}\" } }\n"),
	}
	p, faults := playbooks.Compile("p.yaml", []byte(src), playbooks.World{Actions: d.house.cards, Groups: map[string]int{"secops": 3, "secops_lead": 1}, Playbooks: d.others})
	if p == nil {
		return "refused: " + diag.Text([]byte(src), faults)
	}
	d.start.Program, d.start.Inputs = p, map[string]any{"say": "hello"}
	d.house.policy.MayAdd = []string{"secops_lead"}
	if x.tune != nil {
		x.tune(d)
	}
	if x.moves != nil {
		d.act(x.moves()...)
	}
	play(d)
	return seenOf(p) + d.seen()
}

// seenOf is what readers see of a playbook, and whether it answers to an alert beside another one.
func seenOf(p *playbooks.Program) string {
	rival := &playbooks.Program{ID: "rival", Trigger: "true", Priority: 5}
	env := map[string]any{"alert": map[string]any{"severity": "high"}}
	picked, _ := playbooks.Route([]*playbooks.Program{rival, p}, env, true, start())
	return fmt.Sprintln(p.ID, p.Title, p.Description, p.Owner, p.Tags, p.Inputs, picked.ID)
}

func (d *drive) seen() string {
	var out []string
	add := func(kind string, v any) {
		raw, err := json.Marshal(v)
		if err != nil {
			d.t.Fatalf("%v", err)
		}
		out = append(out, kind+" "+string(raw))
	}
	for _, c := range d.house.calls {
		add("call", []any{c.Step, c.Title, c.Action, c.With, c.Until, c.when.Sub(start()).String(), c.limit.String(), c.ok})
	}
	for _, f := range d.house.freezes {
		add("freeze", []any{f.Step, f.Title, f.Why, f.Seats, f.Within, f.Otherwise, f.Escalate, f.Calls, f.Complete})
	}
	for _, q := range d.house.questions {
		add("question", []any{q.Step, q.From, q.Title, q.Prompt, q.Choices, q.Otherwise, q.Expires})
	}
	for _, r := range d.house.reminded {
		add("reminded", []any{r.Group, r.Why})
	}
	for _, b := range d.house.batches {
		for _, s := range b.Steps {
			add("step", []any{s.Path, s.Title, s.Status, s.At.Sub(start()).String()})
		}
	}
	for _, m := range d.moves {
		add("move", []any{m.by, m.step, m.do, m.answer, m.got})
	}
	slices.Sort(out)
	return strings.Join(out, "\n") + "\nended " + d.ended.Outcome
}

const (
	look = `{ id: a, uses: key.probe, with: { key: "${{ key }}" }§ }`
	gone = `{ id: a, uses: key.revoke, with: { key: "${{ key }}" }, signoff: { by: [{ group: secops, count: 2 }]§ } }`
)

func steps(s string) string { return playbook("  - " + s + "\n") }

func inSteps(s, a, b string) bite { return bite{src: steps(s), a: a, b: b} }

func asWritten(src, a, b string) bite { return bite{src: src, a: a, b: b} }

func failingProbe(d *drive) {
	n := 0
	d.house.fakes["key.probe"] = func(wire.Call) (wire.Result, error) {
		if n++; n < 9 {
			return wire.Result{}, broken("try again")
		}
		return result("state", "refused", "summary", "x"), nil
	}
}

func lively(d *drive) {
	d.house.fakes["key.probe"] = func(wire.Call) (wire.Result, error) { return result("state", "working", "summary", "x"), nil }
}

func bites() map[string]bite {
	out := topBites()
	for kind, body := range map[string]string{
		playbooks.KindAction: "uses: incident.update, with: { text: x }", playbooks.KindGroup: "steps: [{ id: in, wait: 1m }]",
		playbooks.KindParallel: "parallel: [{ id: in, wait: 1m }]", playbooks.KindLoop: "for_each: [1, 2], as: n, steps: [{ id: in, wait: 1m }]",
		playbooks.KindAsk:  "ask: { from: secops, prompt: x, choices: [a, b], within: 1m, otherwise: a }",
		playbooks.KindWait: "wait: 1m", playbooks.KindPlaybook: "playbook: inner", playbooks.KindEnd: "end: stopped",
	} {
		clause := playbooks.StepClause(kind)
		out[clause+".id"] = inSteps("{ id: §, "+body+" }", "one", "two")
		out[clause+".title"] = inSteps("{ id: s, "+body+"§ }", ", title: Something", "")
		out[clause+".if"] = inSteps("{ id: s, "+body+"§ }", "", ", if: key.critical")
	}
	for _, more := range []map[string]bite{actionBites(), frameBites(), askBites(), signoffBites()} {
		for name, c := range more {
			out[name] = c
		}
	}
	return out
}

func topBites() map[string]bite {
	rest := "\nsteps:\n  - { id: a, uses: incident.update, with: { text: x } }\n"
	head := "schema: tourniquet/v1\nid: p\ntitle: t"
	given := head + "\ninputs: { say: { § } }\nsteps:\n  - { id: a, uses: incident.update, with: { text: \"${{ inputs.say }}\" } }\n"
	return map[string]bite{
		"playbook.schema":      asWritten("schema: §\nid: p\ntitle: t"+rest, "tourniquet/v1", "tourniquet/v2"),
		"playbook.id":          asWritten("schema: tourniquet/v1\nid: §\ntitle: t"+rest, "p", "q"),
		"playbook.title":       asWritten("schema: tourniquet/v1\nid: p\ntitle: §"+rest, "one", "two"),
		"playbook.description": asWritten(head+"\n§"+rest, "description: what it is for", ""),
		"playbook.owner":       asWritten(head+"\n§"+rest, "owner: secops", ""),
		"playbook.tags":        asWritten(head+"\n§"+rest, "tags: [a]", ""),
		"playbook.trigger":     asWritten(head+"\n§"+rest, "trigger: { if: 'alert.severity == \"high\"', priority: 9 }", ""),
		"trigger.if":           asWritten(head+"\ntrigger: { if: 'alert.severity == \"§\"', priority: 9 }"+rest, "high", "low"),
		"trigger.priority":     asWritten(head+"\ntrigger: { if: 'alert.severity == \"high\"', priority: § }"+rest, "9", "1"),
		"playbook.needs_key":   asWritten(head+"\n§"+rest, "needs_key: false", ""),
		"playbook.inputs":      asWritten(head+"\n§\nsteps:\n  - { id: a, uses: incident.update, with: { text: \"${{ inputs.say }}\" } }\n", "inputs: { say: { required: true } }", ""),
		"input.type":           asWritten(given, "type: string, required: true", "type: key, required: true"),
		"input.required":       asWritten(given, "required: true", "required: false"),
		"input.doc":            asWritten(given, "required: true, doc: what to say", "required: true"),
		"playbook.vars":        asWritten(head+"\nvars: { v: § }\nsteps:\n  - { id: a, uses: incident.update, with: { text: \"${{ vars.v }}\" } }\n", "one", "two"),
		"playbook.steps":       asWritten(head+"\nsteps: [{ id: a, uses: § }]\n", "incident.report", "key.identify"),
		"playbook.on_failure":  asWritten(head+"\nsteps: [{ id: a, end: failed }]\n§", "on_failure: [{ id: b, uses: incident.report }]", ""),
		"playbook.finally":     asWritten(head+rest+"§", "finally: [{ id: b, uses: incident.report }]", ""),
	}
}

func actionBites() map[string]bite {
	retried := func(a, b string) bite {
		x := inSteps(`{ id: a, uses: key.probe, with: { key: "${{ key }}" }, on_error: stop, retry: { § } }`, a, b)
		x.tune = failingProbe
		return x
	}
	polled := func(a, b string) bite {
		x := inSteps(`{ id: a, uses: key.probe, with: { key: "${{ key }}" }, on_error: stop, § }`, a, b)
		x.tune = lively
		return x
	}
	failing := inSteps(look, ", on_error: continue", ", on_error: stop")
	failing.src += "  - { id: told, uses: incident.report }\n"
	failing.tune = func(d *drive) {
		d.house.fakes["key.probe"] = func(wire.Call) (wire.Result, error) { return wire.Result{}, refused("no", "no") }
	}
	attempts := retried("attempts: 2", "attempts: 4")
	whole := inSteps(look, ", on_error: stop, retry: { attempts: 3 }", ", on_error: stop, retry: { attempts: 5 }")
	whole.tune = failingProbe
	limited := inSteps(look, ", timeout: 7s, on_error: stop", ", timeout: 9s, on_error: stop")
	limited.tune = failingProbe // the first attempt is a short local one, the second has the step's own limit
	return map[string]bite{
		"step.action.uses":     inSteps(`{ id: a, uses: §, with: { key: "${{ key }}" } }`, "key.probe", "key.contain"),
		"step.action.with":     inSteps(`{ id: a, uses: incident.update, with: { text: § } }`, "one", "two"),
		"step.action.timeout":  limited,
		"step.action.retry":    whole,
		"step.action.until":    polled(`until: result.state == "working", every: 30s, within: 2m`, `until: result.state == "refused", every: 30s, within: 2m`),
		"step.action.every":    polled(`until: result.state == "refused", every: 30s, within: 2m`, `until: result.state == "refused", every: 50s, within: 2m`),
		"step.action.within":   polled(`until: result.state == "refused", every: 30s, within: 2m`, `until: result.state == "refused", every: 30s, within: 4m`),
		"step.action.on_error": failing,
		"step.action.signoff":  inSteps(`{ id: a, uses: key.contain, with: { key: "${{ key }}" }§ }`, "", ", signoff: { by: [{ group: secops }] }"),
		"retry.attempts":       attempts,
		"retry.first":          retried("attempts: 4, first: 1s", "attempts: 4, first: 7s"),
		"retry.factor":         retried("attempts: 4, first: 2s, factor: 1", "attempts: 4, first: 2s, factor: 3"),
		"retry.max":            retried("attempts: 5, first: 2s, max: 3s", "attempts: 5, first: 2s, max: 1m"),
	}
}

func frameBites() map[string]bite {
	sign := ", signoff: { by: [{ group: secops }] }"
	pause := `steps: [{ id: in, uses: key.contain, with: { key: "${{ key }}" } }]`
	return map[string]bite{
		"step.group.steps":       inSteps("{ id: g, steps: [{ id: in, wait: § }] }", "1m", "2m"),
		"step.group.signoff":     inSteps("{ id: g, "+pause+"§ }", "", sign),
		"step.parallel.parallel": inSteps("{ id: g, parallel: [{ id: a, wait: 1m }§] }", "", ", { id: b, wait: 2m }"),
		"step.loop.for_each":     inSteps("{ id: g, for_each: [1, 2§], as: n, "+pause+" }", "", ", 3"),
		"step.loop.as":           inSteps("{ id: g, for_each: [one], as: §, steps: [{ id: in, uses: incident.update, with: { text: \"${{ n }}\" } }] }", "n", "m"),
		"step.loop.at_once":      inSteps("{ id: g, for_each: [1, 2, 3, 4], as: n, at_once: §, steps: [{ id: in, wait: 1m }, { id: told, uses: incident.update, with: { text: x } }] }", "1", "4"),
		"step.loop.signoff":      inSteps("{ id: g, for_each: [1, 2], as: n, "+pause+"§ }", "", sign),
		"step.loop.steps":        inSteps("{ id: g, for_each: [1], as: n, steps: [{ id: in, wait: § }] }", "1m", "2m"),
		"step.wait.wait":         inSteps("{ id: a, wait: § }", "1m", "2m"),
		"step.playbook.playbook": inSteps("{ id: a, playbook: § }", "inner", "other"),
		"step.playbook.with":     inSteps("{ id: a, playbook: inner, with: { say: § } }", "one", "two"),
		"step.end.end":           inSteps("{ id: a, end: § }", "stopped", "failed"),
	}
}

func askBites() map[string]bite {
	form := "{ id: q, ask: { from: secops, prompt: x, form: [{ § }], within: 1h, otherwise: stop } }"
	ask := func(a, b string) bite { return inSteps("{ id: q, ask: { § } }", a, b) }
	return map[string]bite{
		"step.ask.ask":  ask("from: secops, prompt: x, choices: [a, b], within: 1m, otherwise: a", "from: secops, prompt: y, choices: [a, b], within: 1m, otherwise: a"),
		"ask.from":      ask("from: secops, prompt: x, choices: [a, b], within: 1m, otherwise: a", "from: secops_lead, prompt: x, choices: [a, b], within: 1m, otherwise: a"),
		"ask.prompt":    ask("from: secops, prompt: x, choices: [a, b], within: 1m, otherwise: a", "from: secops, prompt: z, choices: [a, b], within: 1m, otherwise: a"),
		"ask.choices":   ask("from: secops, prompt: x, choices: [a, b], within: 1m, otherwise: a", "from: secops, prompt: x, choices: [a, c], within: 1m, otherwise: a"),
		"ask.form":      ask("from: secops, prompt: x, form: [{ name: n }], within: 1m, otherwise: stop", "from: secops, prompt: x, form: [{ name: n }, { name: m }], within: 1m, otherwise: stop"),
		"ask.within":    ask("from: secops, prompt: x, choices: [a, b], within: 1m, otherwise: a", "from: secops, prompt: x, choices: [a, b], within: 3m, otherwise: a"),
		"ask.otherwise": ask("from: secops, prompt: x, choices: [a, b], within: 1m, otherwise: a", "from: secops, prompt: x, choices: [a, b], within: 1m, otherwise: b"),
		"field.name":    inSteps(form, "name: one", "name: two"),
		"field.type":    inSteps(form, "name: one, type: int", "name: one, type: bool"),
		"field.doc":     inSteps(form, "name: one, doc: the number", "name: one"),
	}
}

func signoffBites() map[string]bite {
	two := func() []*move { return []*move{approve("a", time.Minute, "ana"), approve("a", 2*time.Minute, "bo")} }
	seat := func(a, b string, moves func() []*move) bite {
		x := inSteps(`{ id: a, uses: key.contain, with: { key: "${{ key }}" }, signoff: { by: [{ § }] } }`, a, b)
		x.moves = moves
		return x
	}
	late := func() []*move { return []*move{approve("a", time.Minute, "ana"), approve("a", 30*time.Minute, "lee")} }
	escalated := func(a, b string) bite {
		x := inSteps(gone, ", escalate: [{ "+a+" }]", ", escalate: [{ "+b+" }]")
		x.moves = late
		return x
	}
	owned := seat("seat: key_owner, else: secops_lead", "group: secops_lead", func() []*move {
		return []*move{approve("a", time.Minute, "kim")}
	})
	standIn := seat("seat: key_owner, else: secops_lead", "seat: key_owner, else: secops", func() []*move { return []*move{approve("a", time.Minute, "lee")} })
	standIn.tune = func(d *drive) {
		d.house.fakes["key.identify"] = func(wire.Call) (wire.Result, error) {
			k := testKey()
			k["owner"] = ""
			return result("key", k), nil
		}
	}
	by := inSteps(`{ id: a, uses: key.contain, with: { key: "${{ key }}" }, signoff: { by: [{ § }] } }`, "group: secops", "group: secops, count: 2")
	by.moves = func() []*move { return []*move{approve("a", time.Minute, "ana")} }
	otherwise := inSteps(gone, ", otherwise: stop", ", otherwise: skip")
	otherwise.src += "  - { id: told, uses: incident.report }\n"
	return map[string]bite{
		"signoff.by":        by,
		"signoff.why":       inSteps(gone, ", why: because", ""),
		"signoff.within":    inSteps(gone, ", within: 1h", ", within: 2h"),
		"signoff.escalate":  inSteps(gone, ", within: 1h, escalate: [{ after: 5m, to: secops_lead }]", ", within: 1h"),
		"signoff.otherwise": otherwise,
		"seat.group":        seat("group: secops", "group: secops_lead", two),
		"seat.seat":         owned,
		"seat.count":        seat("group: secops, count: 1", "group: secops, count: 2", func() []*move { return []*move{approve("a", time.Minute, "ana")} }),
		"seat.else":         standIn,
		"escalation.after":  escalated("after: 5m, to: secops_lead", "after: 50m, to: secops_lead"),
		"escalation.to":     escalated("after: 5m, to: secops_lead", "after: 5m, to: secops"),
		"escalation.adds":   escalated("after: 5m, to: secops_lead, adds: true", "after: 5m, to: secops_lead"),
	}
}
