package rehearse

import (
	"encoding/json"
	"maps"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

// move is what one person does, at a time counted from the moment the step asked.
type move struct {
	at      place
	step    string // id, or path where the step stands in a loop or a sub-playbook
	stepAt  place
	nth     int // which time the step asks
	after   time.Duration
	by      string
	groups  []string // of a preview's people; nil: as the test lists them
	decides bool
	verb    string // approve or reject
	reason  string
	answer  string
	stale   bool   // decides on another digest than the one that is asked
	refused string // the code that is expected; "" is accepted

	got string // accepted, or the code
	why string
}

// refusals are the codes that a test may expect.
func refusals() []string {
	return []string{signoff.NotEligible, signoff.ExcludedCode, signoff.AlreadyCounted, signoff.ExpiredCode, signoff.ClosedCode, signoff.StaleDigest, signoff.NoReason}
}

func (r *reader) move(n *yaml.Node, decides bool, people map[string][]string) *move {
	m := &move{at: at(n), decides: decides, nth: 1, reason: "scripted"}
	what, own := "an answer", []string{"choice", "form"}
	if decides {
		what, own = "a decision", []string{"do", "reason", "stale"}
	}
	has := map[string]bool{}
	for _, e := range r.fields(n, what, append([]string{"step", "at", "by", "nth", "refused"}, own...)) {
		has[e.name] = true
		switch e.name {
		case "step":
			m.step, m.stepAt = r.text(e.val, "step"), at(e.val)
		case "at":
			m.after = r.duration(e.val, "at")
		case "by":
			m.by = r.oneOf(e.val, "by (a person under people)", slices.Sorted(maps.Keys(people))...)
		case "nth":
			m.nth = r.whole(e.val, "nth", 1, 100)
		case "refused":
			m.refused = r.oneOf(e.val, "refused", refusals()...)
		case "choice":
			m.answer = r.text(e.val, "choice")
		case "form":
			m.answer = r.form(e.val)
		case "do":
			m.verb = r.oneOf(e.val, "do", signoff.Approve, signoff.Reject)
		case "reason":
			m.reason = r.text(e.val, "reason")
		case "stale":
			m.stale = r.yes(e.val, "stale")
		}
	}
	for _, k := range []string{"step", "at", "by"} {
		if !has[k] {
			r.err(m.at, "missing-key", "", "%s needs the key %q", what, k)
		}
	}
	if decides && !has["do"] {
		r.err(m.at, "missing-key", "do: approve, or do: reject", "a decision needs the key %q", "do")
	}
	if !decides && has["choice"] == has["form"] {
		r.err(m.at, "missing-key", "", "an answer has either a choice or a form")
	}
	return m
}

// form is filled as every surface sends it: one JSON object.
func (r *reader) form(n *yaml.Node) string {
	out := map[string]any{}
	for _, e := range r.fields(n, "form", nil) {
		out[e.name] = r.value(e.val, 0)
	}
	raw, err := json.Marshal(out)
	if err != nil {
		r.err(at(n), "shape", "", "the form cannot be written as JSON")
	}
	return string(raw)
}

// named is one entry of a list of actions or steps.
type named struct {
	at   place
	what string // an action, or step:<id>
}

// when bounds a time counted from the start of the run.
type when struct {
	named
	from, to time.Duration
	open     bool // no upper bound
}

// status is how a step is expected to end.
type status struct {
	named
	want string
}

// expect is everything that a test may expect; what it does not name is not looked at.
type expect struct {
	at                         place
	starts                     bool
	startsAt                   place
	outcome                    string
	outcomeAt                  place
	called, never, order       []named
	asked, neverAsked, inForce []named
	force                      bool // in_force was given, be it empty
	forceAt                    place
	times                      []when
	statuses                   []status
}

func outcomes() []string {
	return []string{incident.OutcomeContained, incident.OutcomeFalseAlarm, incident.OutcomeStopped, incident.OutcomeFailed, incident.OutcomeCancelled,
		incident.OutcomeJoined, outcomeWaiting}
}

func (r *reader) readExpect(n *yaml.Node) expect {
	x := expect{at: at(n), starts: true}
	fields := r.fields(n, "expect", []string{"starts", "outcome", "called", "never_called", "order", "asked", "never_asked", "in_force", "time", "status"})
	for _, e := range fields {
		switch e.name {
		case "starts":
			x.starts, x.startsAt = r.yes(e.val, "starts"), at(e.val)
		case "outcome":
			x.outcome, x.outcomeAt = r.oneOf(e.val, "outcome", outcomes()...), at(e.val)
		case "called":
			x.called = r.named(e)
		case "never_called":
			x.never = r.named(e)
		case "order":
			x.order = r.named(e)
		case "asked":
			x.asked = r.named(e)
		case "never_asked":
			x.neverAsked = r.named(e)
		case "in_force":
			x.inForce, x.force, x.forceAt = r.named(e), true, e.at
		case "time":
			for _, t := range r.fields(e.val, "time", nil) {
				x.times = append(x.times, r.when(t))
			}
		case "status":
			for _, s := range r.fields(e.val, "status", nil) {
				x.statuses = append(x.statuses, status{named{s.at, s.name}, r.oneOf(s.val, "a status", "done", "skipped", "declined", "failed", "stopped", "planned")})
			}
		}
	}
	if len(fields) == 0 {
		r.err(x.at, "missing-key", "as expect: { outcome: contained }", "a test that expects nothing cannot fail")
	}
	if !x.starts && len(fields) > 1 {
		r.err(x.at, "shape", "", "where the playbook does not start, nothing else can be expected")
	}
	return x
}

func (r *reader) named(e field) []named {
	out := []named{}
	for _, n := range r.list(e.val, e.name) {
		out = append(out, named{at(n), r.text(n, "an entry of "+e.name)})
	}
	return out
}

// when reads "5m" (at most) or { from: 1h, to: 2h }.
func (r *reader) when(f field) when {
	w := when{named: named{f.at, f.name}}
	if n := r.real(f.val); n != nil && n.Kind == yaml.MappingNode {
		w.open = true
		for _, b := range r.fields(n, "a time", []string{"from", "to"}) {
			if b.name == "from" {
				w.from = r.duration(b.val, "from")
			} else {
				w.to, w.open = r.duration(b.val, "to"), false
			}
		}
		return w
	}
	w.to = r.duration(f.val, "a time")
	return w
}
