package workflows_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

// inner is a playbook that others may call: with something final of its own, under a sign-off of its own.
const inner = `schema: tourniquet/v1
id: inner
title: t
steps:
  - { id: look, uses: key.probe, with: { key: "${{ key }}" }, on_error: continue }
  - { id: gone, uses: key.revoke, with: { key: "${{ key }}" }, on_error: stop, signoff: { by: [{ group: secops, count: 2 }], within: 1h } }
  - { id: proof, uses: key.probe, with: { key: "${{ key }}" }, on_error: continue }
finally:
  - { id: told, uses: incident.report, on_error: continue }
`

// writer draws playbooks: every kind of step around every kind of effect, with sign-offs here and there.
type writer struct {
	t        *rapid.T
	b        strings.Builder
	n        int
	asks     []string // paths that will ask for a sign-off
	triages  []string // questions
	careless bool     // may leave sign-offs out where the language demands them
	unsigned bool     // and did
	finals   int      // final actions that were written
}

// spot is where in the playbook a step is drawn.
type spot struct {
	indent, path string
	covered      bool // by the sign-off of a group
	loop, fork   bool
}

func (at spot) inside(step string) spot {
	at.indent, at.path = at.indent+"    ", step
	return at
}

func (w *writer) steps(depth int, at spot) {
	for range rapid.IntRange(1, 3).Draw(w.t, "steps") {
		w.step(depth, at)
	}
}

func (w *writer) line(at spot, format string, args ...any) {
	fmt.Fprintf(&w.b, at.indent+"  "+format+"\n", args...)
}

func (w *writer) step(depth int, at spot) {
	w.n++
	id := fmt.Sprintf("s%d", w.n)
	fmt.Fprintf(&w.b, "%s- id: %s\n", at.indent, id)
	conditional := rapid.IntRange(0, 4).Draw(w.t, "if") == 0
	if conditional {
		w.line(at, "if: %s", rapid.SampledFrom([]string{"key.critical", "\"!key.critical\"", "key.id == \"k1\""}).Draw(w.t, "cond"))
	}
	here := at.inside(playbooks.JoinPath(at.path, id))
	kind := rapid.IntRange(0, 11).Draw(w.t, "kind")
	if depth == 0 && kind >= 9 {
		kind %= 9
	}
	switch {
	case kind == 9:
		here.covered = w.signs(at, here.path, false)
		w.line(at, "steps:")
		w.steps(depth-1, here)
	case kind == 10:
		here.fork = true
		w.line(at, "parallel:")
		w.steps(depth-1, here)
	case kind == 11:
		here.covered = w.signs(at, here.path, false)
		here.loop, here.path = true, here.path+"[*]"
		w.line(at, "for_each: ${{ key.dependents }}")
		w.line(at, "as: d%d", w.n)
		w.line(at, "at_once: %d", rapid.IntRange(1, 3).Draw(w.t, "at once"))
		w.line(at, "steps:")
		w.steps(depth-1, here)
	case kind == 8 && !at.covered && !at.loop:
		w.line(at, "ask: { from: secops, prompt: x, choices: [a, b], within: 20m, otherwise: a }")
		w.triages = append(w.triages, here.path)
	case kind == 7 && !at.covered:
		w.line(at, "wait: 10m")
	case kind == 6 && !at.covered && !at.loop:
		w.line(at, "playbook: inner")
		w.asks = append(w.asks, playbooks.JoinPath(here.path, "gone"))
	case kind == 5 && !at.covered && !at.loop && !at.fork && conditional:
		w.line(at, "end: %s", rapid.SampledFrom([]string{"stopped", "failed", "contained"}).Draw(w.t, "end"))
	default:
		w.action(at, here.path)
	}
}

func (w *writer) action(at spot, path string) {
	uses := rapid.SampledFrom([]string{"key.revoke", "key.contain", "key.probe", "key.restore", "sessions.revoke"}).Draw(w.t, "uses")
	final := uses == "key.revoke" || uses == "key.restore"
	if at.loop && final && !at.covered {
		uses, final = "key.probe", false
	}
	if final {
		w.finals++
		w.unsigned = !w.signs(at, path, !w.careless) || w.unsigned
	}
	w.line(at, "uses: %s", uses)
	w.line(at, "with: { key: \"${{ key }}\" }")
	w.line(at, "on_error: %s", rapid.SampledFrom([]string{"continue", "stop"}).Draw(w.t, "on_error"))
}

// signs writes a sign-off, or leaves it out where it may.
func (w *writer) signs(at spot, path string, must bool) bool {
	if at.covered || at.loop || !must && rapid.Bool().Draw(w.t, "unsigned") {
		return at.covered
	}
	otherwise := rapid.SampledFrom([]string{"stop", "skip"}).Draw(w.t, "otherwise")
	w.line(at, "signoff: { by: [{ group: secops, count: 2 }], within: 1h, otherwise: %s }", otherwise)
	w.asks = append(w.asks, path)
	return true
}

// doubt is a beginning that may turn out to be a false alarm: then what is in force is undone, under a sign-off of policy.
func (w *writer) doubt() {
	if rapid.IntRange(0, 3).Draw(w.t, "doubt") > 0 {
		return
	}
	w.b.WriteString("  - { id: hold, uses: key.contain, with: { key: \"${{ key }}\" }, on_error: continue }\n" +
		"  - { id: doubt, ask: { from: secops, prompt: x, choices: [abuse, legitimate], within: 20m, otherwise: abuse } }\n" +
		"  - { id: back, if: steps.doubt.outputs.choice == \"legitimate\", end: false_alarm }\n")
	w.triages, w.asks = append(w.triages, "doubt"), append(w.asks, "undo")
}

// after are the sections that run at the end.
func (w *writer) after() {
	for _, section := range []string{"on_failure", "finally"} {
		if rapid.Bool().Draw(w.t, section) {
			fmt.Fprintf(&w.b, "%s:\n  - { id: %s_1, uses: %s, on_error: continue }\n", section, section, rapid.SampledFrom([]string{"incident.report", "key.probe, with: { key: \"${{ key }}\" }"}).Draw(w.t, "after"))
		}
	}
}

// draw is a playbook that the language accepts, on a fresh drive.
func draw(t *rapid.T) (*drive, *writer) {
	w := &writer{t: t, careless: rapid.IntRange(0, 3).Draw(t, "careless") == 0}
	w.doubt()
	w.steps(rapid.IntRange(0, 2).Draw(t, "depth"), spot{indent: "  "})
	w.after()
	d := newDrive(t)
	d.others = map[string][]byte{"inner": []byte(inner)}
	src := playbook(w.b.String())
	p, _ := playbooks.Compile("p.yaml", []byte(src), playbooks.World{Actions: d.house.cards, Groups: map[string]int{"secops": 3, "secops_lead": 1}, Playbooks: d.others})
	if p != nil && w.unsigned {
		t.Fatalf("something final that nobody signs compiles:\n%s", src)
	}
	if p == nil {
		return nil, w
	}
	d.compile(src)
	for _, q := range w.triages {
		if what := rapid.SampledFrom([]string{"", "a", "b", "legitimate", "abuse"}).Draw(t, "answer"); what != "" {
			d.act(answer(q, 2*time.Minute, "ana", what))
		}
	}
	return d, w
}

func TestWithoutPeopleNoFinalActionIsEverCalled(t *testing.T) {
	t.Parallel()
	ran, asked, finals, unsigned := 0, 0, 0, 0
	rapid.Check(t, func(t *rapid.T) {
		d, w := draw(t)
		if d == nil {
			if w.unsigned {
				unsigned++
			}
			t.Skip("the language refuses it")
		}
		finals += w.finals
		for _, step := range w.asks {
			switch rapid.IntRange(0, 3).Draw(t, "what people do") {
			case 0: // nothing: it expires
			case 1:
				d.act(reject(step, time.Minute, "ana"))
			case 2: // half a quorum
				d.act(approve(step, time.Minute, "bo"), approve(step, 2*time.Minute, "bo").refused(signoff.AlreadyCounted))
			case 3: // a quorum, then a second thought before it is full
				d.act(approve(step, time.Minute, "bo"), reject(step, 2*time.Minute, "bo"), approve(step, 3*time.Minute, "ana").refused(signoff.ClosedCode))
			}
		}
		moves := d.moves
		d.house.auto = rapid.Bool().Draw(t, "auto")
		play(d)
		for _, m := range moves {
			if m.got == "accepted" && m.do == signoff.Approve {
				asked++
			}
		}
		for _, c := range d.house.calls {
			if d.house.cards[c.Action].Effect == signoff.EffectFinal {
				t.Fatalf("%s was called for %q with the grant %v\n%s", c.Action, c.Step, c.Grant, w.b.String())
			}
		}
		ran++
	})
	t.Logf("%d playbooks ran with %d final steps in them and %d single approvals; %d with something final unsigned were refused", ran, finals, asked, unsigned)
	if ran < 20 || asked < 5 || finals < 20 || unsigned == 0 {
		t.Fatal("the generator is useless")
	}
}

// play runs without looking at how moves were answered: a step may never have asked, or have been over.
func play(d *drive) {
	moves := d.moves
	d.moves = nil
	by := map[string][]*move{}
	for _, m := range moves {
		by[m.step] = append(by[m.step], m)
	}
	d.house.onRequest = func(step string, nth int, v signoff.View) {
		for _, m := range by[step] {
			if nth == 1 && m.do != "" {
				d.env.RegisterDelayedCallback(func() { d.decide(m, v) }, m.at)
			}
		}
	}
	d.house.onAsk = func(step string, nth int, q wire.Question) {
		for _, m := range by[step] {
			if nth == 1 && m.do == "" {
				d.env.RegisterDelayedCallback(func() { d.answer(m, q) }, m.at)
			}
		}
	}
	d.run()
	if d.err != nil {
		d.t.Fatalf("the run broke: %v", d.err)
	}
}

func TestAFinalCallAlwaysCarriesAGrantWithAQuorum(t *testing.T) {
	t.Parallel()
	finals, drifts := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		d, w := draw(t)
		if d == nil {
			t.Skip("the language refuses it")
		}
		for _, step := range w.asks {
			d.act(approve(step, time.Minute, "ana"), approve(step, 2*time.Minute, "bo"))
		}
		if rapid.Bool().Draw(t, "drift") {
			d.house.fakes["key.revoke"] = once(refused(wire.ErrDrifted, "changed"))
			drifts++
		}
		play(d)
		seen := map[string]bool{}
		for _, c := range d.house.calls {
			if d.house.cards[c.Action].Effect != signoff.EffectFinal {
				continue
			}
			finals++
			if c.Grant == nil || !signoff.Quorum(c.Grant.Envelope.Rule, c.Grant.Decisions) || c.Grant.QuorumAt.IsZero() {
				t.Fatalf("%s was called for %q without a quorum\n%s", c.Action, c.Step, w.b.String())
			}
			if c.ok && seen[c.Step] {
				t.Fatalf("%s came through twice for %q\n%s", c.Action, c.Step, w.b.String())
			}
			seen[c.Step] = seen[c.Step] || c.ok
		}
	})
	if finals < 10 || drifts == 0 {
		t.Fatalf("the generator is useless: %d final calls, %d drifts", finals, drifts)
	}
}
