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

// writer draws playbooks that compile: every kind of step around every kind of effect.
type writer struct {
	t    *rapid.T
	b    strings.Builder
	n    int
	asks []string // paths that will ask for a sign-off
}

func (w *writer) steps(depth int, indent, path string, covered, dynamic bool) {
	for range rapid.IntRange(1, 3).Draw(w.t, "steps") {
		w.step(depth, indent, path, covered, dynamic)
	}
}

func (w *writer) step(depth int, indent, path string, covered, loop bool) {
	w.n++
	id := fmt.Sprintf("s%d", w.n)
	here := playbooks.JoinPath(path, id)
	kind := rapid.IntRange(0, 7).Draw(w.t, "kind")
	if depth == 0 {
		kind %= 4
	}
	uses := rapid.SampledFrom([]string{"key.revoke", "key.contain", "key.probe", "key.restore", "sessions.revoke"}).Draw(w.t, "uses")
	final := uses == "key.revoke" || uses == "key.restore"
	fmt.Fprintf(&w.b, "%s- id: %s\n", indent, id)
	if rapid.IntRange(0, 4).Draw(w.t, "if") == 0 {
		fmt.Fprintf(&w.b, "%s  if: %s\n", indent, rapid.SampledFrom([]string{"key.critical", "!key.critical && true", "key.id == \"k1\""}).Draw(w.t, "cond"))
	}
	signs := func(must bool) bool {
		if covered || loop || !must && rapid.Bool().Draw(w.t, "unsigned") {
			return covered
		}
		otherwise := rapid.SampledFrom([]string{"stop", "skip"}).Draw(w.t, "otherwise")
		fmt.Fprintf(&w.b, "%s  signoff: { by: [{ group: secops, count: 2 }], within: 1h, otherwise: %s }\n", indent, otherwise)
		w.asks = append(w.asks, here)
		return true
	}
	switch kind {
	case 5:
		c := signs(false)
		fmt.Fprintf(&w.b, "%s  steps:\n", indent)
		w.steps(depth-1, indent+"    ", here, c, loop)
	case 6:
		fmt.Fprintf(&w.b, "%s  parallel:\n", indent)
		w.steps(depth-1, indent+"    ", here, covered, loop)
	case 7:
		c := signs(false)
		fmt.Fprintf(&w.b, "%s  for_each: ${{ key.dependents }}\n%s  as: d%d\n%s  at_once: 2\n%s  steps:\n", indent, indent, w.n, indent, indent)
		w.steps(depth-1, indent+"    ", here+"[*]", c, true)
	default:
		if loop && final && !covered {
			uses, final = "key.probe", false
		}
		if final {
			signs(true)
		}
		fmt.Fprintf(&w.b, "%s  uses: %s\n%s  with: { key: \"${{ key }}\" }\n", indent, uses, indent)
		fmt.Fprintf(&w.b, "%s  on_error: %s\n", indent, rapid.SampledFrom([]string{"continue", "stop"}).Draw(w.t, "on_error"))
	}
}

// draw is a playbook that the language accepts, on a fresh drive.
func draw(t *rapid.T) (*drive, *writer) {
	w := &writer{t: t}
	w.steps(rapid.IntRange(0, 2).Draw(t, "depth"), "  ", "", false, false)
	d := newDrive(t)
	if p, _ := playbooks.Compile("p.yaml", []byte(playbook(w.b.String())), playbooks.World{Actions: d.house.cards, Groups: map[string]int{"secops": 3, "secops_lead": 1}}); p == nil {
		return nil, nil
	}
	return d.compile(playbook(w.b.String())), w
}

func TestWithoutPeopleNoFinalActionIsEverCalled(t *testing.T) {
	t.Parallel()
	ran, asked := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		d, w := draw(t)
		if d == nil {
			t.Skip("the language refuses it")
		}
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
	if ran < 20 || asked < 5 {
		t.Fatalf("the generator is useless: %d runs, %d approvals", ran, asked)
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
			if nth == 1 {
				d.env.RegisterDelayedCallback(func() { d.decide(m, v) }, m.at)
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
