package playbooks

import (
	"fmt"
	"strings"
	"time"

	"github.com/expr-lang/expr/ast"
)

// Reason is one part of a condition with its value: a leaf, or parts that are joined by "all of" or "any of".
type Reason struct {
	Text  string   `json:"text"`
	Holds bool     `json:"holds"`
	Fault string   `json:"fault,omitempty"` // why it could not be evaluated
	Saw   []Saw    `json:"saw,omitempty"`   // what a leaf read
	Join  string   `json:"join,omitempty"`  // all, any; empty for a leaf
	Parts []Reason `json:"parts,omitempty"`
}

// Saw is one value that a condition read.
type Saw struct {
	Name  string `json:"name"`
	Value any    `json:"value"`
}

// Joins of a Reason.
const (
	JoinAll = "all"
	JoinAny = "any"
)

// Explained is what one playbook says to an alert, with its condition taken apart.
type Explained struct {
	Verdict
	Reason *Reason `json:"reason,omitempty"`
}

// ExplainAll is Route with reasons: which playbook answers, which do not, and which part of each condition fails.
func ExplainAll(programs []*Program, env map[string]any, namesKey bool, now time.Time) []Explained {
	_, said := Route(programs, env, namesKey, now)
	out := make([]Explained, 0, len(said))
	for _, v := range said {
		e := Explained{Verdict: v}
		for _, p := range programs {
			if p.ID == v.Playbook {
				r := Explain(p.Trigger, env, now)
				e.Reason = &r
			}
		}
		out = append(out, e)
	}
	return out
}

// Explain takes a condition apart at its && and ||, and says of each part what it read and whether it holds.
func Explain(code string, env map[string]any, now time.Time) Reason {
	tree, fault := parseExpr(code, newConfig())
	if fault != nil {
		return Reason{Text: code, Fault: fault.Message}
	}
	return reasonOf(tree.Node, env, now)
}

func reasonOf(n ast.Node, env map[string]any, now time.Time) Reason {
	r := Reason{Text: n.String()}
	if out, err := Eval(r.Text, env, now); err != nil {
		r.Fault = err.Error()
	} else {
		r.Holds, _ = out.(bool)
	}
	if b, ok := n.(*ast.BinaryNode); ok && joinOf(b) != "" {
		r.Join = joinOf(b)
		for _, part := range sameJoin(b) {
			r.Parts = append(r.Parts, reasonOf(part, env, now))
		}
		return r
	}
	for _, name := range pathsIn(n) {
		v, err := Eval(name, env, now)
		if err != nil {
			continue // the fault of the whole part says it
		}
		r.Saw = append(r.Saw, Saw{name, v})
	}
	return r
}

// sameJoin flattens a && b && c.
func sameJoin(b *ast.BinaryNode) []ast.Node {
	var out []ast.Node
	for _, side := range []ast.Node{b.Left, b.Right} {
		if s, ok := side.(*ast.BinaryNode); ok && joinOf(s) != "" && joinOf(s) == joinOf(b) {
			out = append(out, sameJoin(s)...)
			continue
		}
		out = append(out, side)
	}
	return out
}

func joinOf(b *ast.BinaryNode) string {
	switch b.Operator {
	case "&&", "and":
		return JoinAll
	case "||", "or":
		return JoinAny
	}
	return ""
}

// pathsIn are the fields that a part reads, as alert.key.provider, without repeats.
func pathsIn(n ast.Node) []string {
	var out []string
	seen := map[string]bool{}
	var walk func(ast.Node)
	walk = func(n ast.Node) {
		if p := path(n); len(p) > 1 {
			if text := n.String(); !seen[text] {
				seen[text] = true
				out = append(out, text)
			}
			return
		}
		for _, c := range children(n) {
			walk(c)
		}
	}
	walk(n)
	return out
}

// Lines tells a reason in lines, indented by its depth: what holds, what does not, and what it saw.
func (r Reason) Lines() []string { return r.lines("") }

func (r Reason) lines(indent string) []string {
	mark := "no  "
	if r.Holds {
		mark = "yes "
	}
	switch {
	case r.Join != "":
		out := []string{indent + mark + r.Join + " of:"}
		for _, p := range r.Parts {
			out = append(out, p.lines(indent+"  ")...)
		}
		return out
	case r.Fault != "":
		return []string{indent + "?   " + r.Text + "   (" + r.Fault + ")"}
	}
	var saw []string
	for _, s := range r.Saw {
		saw = append(saw, fmt.Sprintf("%s is %s", s.Name, shown(s.Value)))
	}
	line := indent + mark + r.Text
	if len(saw) > 0 {
		line += "   (" + strings.Join(saw, ", ") + ")"
	}
	return []string{line}
}

func shown(v any) string {
	switch x := v.(type) {
	case string:
		return fmt.Sprintf("%q", crop(x))
	case time.Time:
		return x.UTC().Format(time.RFC3339)
	case nil:
		return "absent"
	}
	return crop(fmt.Sprint(v))
}
