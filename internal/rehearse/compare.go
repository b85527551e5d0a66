package rehearse

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// timeRun names the whole run in expect.time.
const timeRun = "run"

// Difference is one thing that was not as expected, at its place in the test file.
type Difference struct {
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Message string `json:"message"`
}

type comparison struct {
	got  played
	x    expect
	diff []Difference
}

// compare says what differed.
func compare(c *Case, got played) []Difference {
	k := &comparison{got: got, x: c.expect}
	switch {
	case got.broken != "":
		k.say(c.at, "the run could not be played to its end: %s", got.broken)
		return k.diff
	case !got.starts && c.expect.starts:
		k.say(c.expect.at, "the alert does not start the playbook: its trigger does not hold")
		return k.diff
	case got.starts && !c.expect.starts:
		k.say(c.expect.startsAt, "the alert starts the playbook: its trigger holds")
		return k.diff
	case !got.starts:
		return nil
	}
	if want := c.expect.outcome; want != "" && got.outcome != want {
		k.say(c.expect.outcomeAt, "the outcome is %q, not %q: %s", got.outcome, want, got.why)
	}
	k.moves(c.moves)
	k.calls()
	k.order()
	k.asked()
	k.times()
	k.left()
	slices.SortStableFunc(k.diff, func(a, b Difference) int { return a.Line - b.Line })
	return k.diff
}

func (k *comparison) say(p place, format string, args ...any) {
	k.diff = append(k.diff, Difference{p.line, p.col, fmt.Sprintf(format, args...)})
}

func (k *comparison) moves(all []*move) {
	for _, m := range all {
		want := m.refused
		if want == "" {
			want = accepted
		}
		if m.got == want {
			continue
		}
		did := "answers " + fmt.Sprintf("%q", cut(m.answer))
		if m.decides {
			did = m.verb + "s"
		}
		got := m.got
		if got != accepted && got != "never asked" {
			got = "refused as " + got
		}
		if want != accepted {
			want = "refused as " + want
		}
		why := ""
		if m.why != "" {
			why = " (" + m.why + ")"
		}
		k.say(m.at, "%s %s %q after %s: %s, not %s%s", m.by, did, m.step, m.after, got, want, why)
	}
}

// of are the calls that an entry names.
func (k *comparison) of(n named) []called {
	var out []called
	step, isStep := strings.CutPrefix(n.what, stepPrefix)
	for _, c := range k.got.stage.calls {
		if isStep && same(step, c.step) || !isStep && c.action == n.what {
			out = append(out, c)
		}
	}
	return out
}

// same reports whether a step of a test file is the step at this path.
func same(step, path string) bool {
	return step == path || step == plainPath(path) || step == idOf(path)
}

func (k *comparison) calls() {
	for _, n := range k.x.called {
		if len(k.of(n)) == 0 {
			k.say(n.at, "%s was not called; called were %s", n.what, k.list())
		}
	}
	for _, n := range k.x.never {
		if c := k.of(n); len(c) > 0 {
			k.say(n.at, "%s was called by step %q after %s", n.what, c[0].step, k.after(c[0].at))
		}
	}
}

func (k *comparison) list() string {
	var out []string
	for _, c := range k.got.stage.calls {
		if !contains(out, c.action) {
			out = append(out, c.action)
		}
	}
	return strings.Join(out, ", ")
}

// order wants every call of one entry before the first call of the next.
func (k *comparison) order() {
	var before named
	var last []called
	for i, n := range k.x.order {
		now := k.of(n)
		if len(now) == 0 {
			k.say(n.at, "%s was not called, so it has no place in the order", n.what)
			continue
		}
		if i > 0 && len(last) > 0 {
			if first, end := k.place(now[0]), k.place(last[len(last)-1]); first < end {
				k.say(n.at, "%s was called (after %s) before %s was over (after %s)", n.what, k.after(now[0].at), before.what, k.after(last[len(last)-1].at))
			}
		}
		before, last = n, now
	}
}

func (k *comparison) place(c called) int {
	return slices.Index(k.got.stage.calls, c)
}

func (k *comparison) asked() {
	was := func(n named) bool {
		for path := range k.got.stage.askedAt {
			if same(n.what, path) {
				return true
			}
		}
		return false
	}
	for _, n := range k.x.asked {
		if !was(n) {
			k.say(n.at, "step %q asked nobody", n.what)
		}
	}
	for _, n := range k.x.neverAsked {
		if was(n) {
			k.say(n.at, "step %q asked people", n.what)
		}
	}
}

func (k *comparison) after(t time.Time) time.Duration { return t.Sub(k.got.stage.c.now) }

func (k *comparison) times() {
	for _, w := range k.x.times {
		took := k.got.took
		if w.what != timeRun {
			calls := k.of(w.named)
			if len(calls) == 0 {
				k.say(w.at, "%s was not called, so it has no time", w.what)
				continue
			}
			took = k.after(calls[0].at)
		}
		if took < w.from {
			k.say(w.at, "%s came after %s, earlier than %s", w.what, took, w.from)
		}
		if !w.open && took > w.to {
			k.say(w.at, "%s came after %s, later than %s", w.what, took, w.to)
		}
	}
}

// left compares how steps ended and what is still in force.
func (k *comparison) left() {
	got := k.got.stage.statuses()
	for _, s := range k.x.statuses {
		found := false
		for path, is := range got {
			if same(s.what, path) {
				found = true
				if is != s.want {
					k.say(s.at, "step %q is %q, not %q", path, is, s.want)
				}
			}
		}
		if !found {
			k.say(s.at, "step %q never ended", s.what)
		}
	}
	if !k.x.force {
		return
	}
	force := k.got.stage.inForce()
	for _, n := range k.x.inForce {
		if !slices.ContainsFunc(force, func(path string) bool { return same(n.what, path) }) {
			k.say(n.at, "%s is not in force at the end", n.what)
		}
	}
	for _, path := range force {
		if !slices.ContainsFunc(k.x.inForce, func(n named) bool { return same(n.what, path) }) {
			k.say(k.x.forceAt, "%s is in force at the end", path)
		}
	}
}
