package playbooks

import (
	"fmt"
	"regexp"
	"strconv"

	"go.yaml.in/yaml/v3"

	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

func (s *sheet) readSignoff(n *yaml.Node, x *node) *Signoff {
	out := &Signoff{Otherwise: "stop", Why: Value{Kind: ValueLit, Lit: ""}}
	by := false
	for _, e := range s.entries(n, "signoff", []string{"by", "why", "within", "escalate", "otherwise"}) {
		switch e.name {
		case "by":
			by = true
			s.ruleSignoffSeats(e.val, out, x)
		case "why":
			out.Why = s.value(e.val, "signoff.why", x)
		case "within":
			out.Within = s.duration(e.val, "within")
		case "otherwise":
			out.Otherwise = s.ruleSignoffOtherwise(e.val)
		case "escalate":
			for _, item := range s.items(e.val, "escalate") {
				out.Escalate = append(out.Escalate, s.readEscalation(item))
			}
		}
	}
	if !by {
		s.err("signoff-approvers", place(n), "by: [{ group: secops, count: 2 }]", "the sign-off names nobody who may approve")
	}
	return out
}

func (s *sheet) readSeat(item *yaml.Node) signoff.Seat {
	seat := signoff.Seat{Count: 1}
	for _, e := range s.entries(item, "a seat", []string{"group", "seat", "count", "else"}) {
		switch e.name {
		case "group":
			seat.Group = s.word(e.val, "group")
			s.ruleGroup(seat.Group, place(e.val))
		case "seat":
			seat.Named = s.oneOf(e.val, "seat", []string{"key_owner"})
		case "count":
			seat.Count = s.number(e.val, "count", 1, 20)
		case "else":
			seat.Else = s.word(e.val, "else")
			s.ruleGroup(seat.Else, place(e.val))
		}
	}
	if (seat.Group == "") == (seat.Named == "") {
		s.err("signoff-approvers", place(item), "as { group: secops, count: 1 }", "a seat has a group, or a seat name, and not both")
	}
	return seat
}

func (s *sheet) readEscalation(item *yaml.Node) Escalation {
	var out Escalation
	var adds pos
	for _, e := range s.entries(item, "an escalation", []string{"after", "to", "adds"}) {
		switch e.name {
		case "after":
			if m := regexp.MustCompile(`^(\d{1,9}) USD$`).FindStringSubmatch(e.val.Value); m != nil {
				out.AfterUSD, _ = strconv.ParseInt(m[1], 10, 64)
				continue
			}
			out.After = s.duration(e.val, "after")
		case "to":
			out.To = s.word(e.val, "to")
			s.ruleGroup(out.To, place(e.val))
		case "adds":
			if out.Adds = s.boolean(e.val, "adds"); out.Adds {
				adds = place(e.val)
			}
		}
	}
	if out.Adds && out.AfterUSD > 0 {
		s.err("escalation", adds, "write a time under after, or take adds out", "an escalation by money wakes people; it cannot make them eligible, because who may decide from when on is frozen when people are asked")
	}
	if out.To == "" || (out.After == 0) == (out.AfterUSD == 0) {
		s.err("shape", place(item), "as { after: 15m, to: secops_lead } or { after: 500 USD, to: secops_lead }", "an escalation needs after and to")
	}
	return out
}

func (s *sheet) readAsk(n *yaml.Node, x *node) *Ask {
	a := &Ask{}
	seen := map[string]pos{}
	for _, e := range s.entries(n, "ask", []string{"from", "prompt", "choices", "form", "within", "otherwise"}) {
		seen[e.name] = place(e.val)
		switch e.name {
		case "from":
			a.From = s.word(e.val, "from")
			s.ruleGroup(a.From, place(e.val))
		case "prompt":
			a.Prompt = s.value(e.val, "ask.prompt", x)
		case "choices":
			for _, c := range s.items(e.val, "choices") {
				a.Choices = append(a.Choices, s.word(c, "a choice"))
			}
		case "form":
			s.readForm(e.val, a)
		case "within":
			a.Within = s.duration(e.val, "within")
		case "otherwise":
			a.Otherwise = s.word(e.val, "otherwise")
		}
	}
	for _, k := range []string{"from", "prompt", "within", "otherwise"} {
		if _, ok := seen[k]; !ok {
			s.err("missing-key", place(n), "", "a question needs the key %q", k)
		}
	}
	s.ruleQuestion(a, place(n), seen)
	return a
}

func (s *sheet) readForm(n *yaml.Node, a *Ask) {
	for _, item := range s.items(n, "form") {
		f := Field{Type: TypeString, Required: true}
		for _, e := range s.entries(item, "a field", []string{"name", "type", "doc"}) {
			switch e.name {
			case "name":
				f.Name = s.word(e.val, "name")
				s.ruleID(f.Name, place(e.val), snake, "a field is snake_case")
			case "type":
				f.Type = s.oneOf(e.val, "type", []string{TypeString, TypeInt, TypeFloat, TypeBool})
			case "doc":
				f.Doc = s.word(e.val, "doc")
			}
		}
		a.Form = append(a.Form, f)
	}
}

// readSub inlines another playbook, so that it is pinned when the parent starts.
func (s *sheet) readSub(x *node, n *yaml.Node) {
	id := s.word(n, "playbook")
	src, ok := s.ruleSubPlaybook(id, place(n))
	if !ok {
		return
	}
	sub := &sheet{file: id, src: src, w: s.w, budget: s.budget, stack: append(append([]string(nil), s.stack...), id)}
	prog := sub.compile()
	if prog == nil {
		why := "it has faults of its own"
		for _, f := range sub.faults {
			if f.Severity == "error" {
				why = fmt.Sprintf("line %d: %s", f.Line, f.Message)
				break
			}
		}
		s.err("sub-playbook", place(n), "lint that playbook first", "playbook %q cannot be inlined: %s", id, why)
		return
	}
	if prog.NeedsKey && !s.p.NeedsKey {
		s.err("sub-playbook", place(n), "leave needs_key: false out here, or add it there", "playbook %q needs a key, and this one has none to give", id)
	}
	x.step.Sub = prog
}
