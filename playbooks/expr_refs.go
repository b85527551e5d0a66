package playbooks

import (
	"slices"

	"github.com/expr-lang/expr/ast"
)

// Ref is one output that an expression reads: steps.<Step>.outputs.<Output>. Output is empty where the outputs
// are read as a whole (a loop's list).
type Ref struct{ Step, Output string }

// References are the outputs that an expression reads, in order, without repeats; none if it does not parse.
func References(code string) []Ref {
	tree, fault := parseExpr(code, newConfig())
	if fault != nil {
		return nil
	}
	var refs []Ref
	for _, u := range usesOf(tree.Node) {
		ref := Ref{u.step, u.output}
		if u.step != "" && u.outputs && !slices.Contains(refs, ref) {
			refs = append(refs, ref)
		}
	}
	return refs
}

// use is one place where an expression reads something that may be absent.
type use struct {
	step    string // of steps.<step>
	output  string // "" for the whole
	input   string // of inputs.<name>
	result  string // of result.<name>
	bare    bool   // steps or steps.<step> is read as a whole
	outputs bool   // the outputs are read, not the status
	opt     bool   // "?." after outputs
	def     bool   // a "??" or a comparison covers absence
	tailOpt bool   // nothing follows the output, or "?." does
	known   []string
	node    ast.Node
}

// usesOf finds every use, knowing what "&&" and "? :" have made certain before it.
func usesOf(n ast.Node) []use {
	var out []use
	var walk func(n ast.Node, def bool, known []string)
	walk = func(n ast.Node, def bool, known []string) {
		if p := path(n); len(p) > 1 {
			if u, ok := useOf(p); ok {
				u.def, u.known, u.node = def, known, n
				out = append(out, u)
			}
			return
		} else if len(p) == 1 && p[0].name == "steps" {
			out = append(out, use{bare: true, node: n})
		}
		switch n := n.(type) {
		case *ast.ChainNode:
			walk(n.Node, def, known)
		case *ast.BinaryNode:
			walkBinary(n, def, known, walk)
		case *ast.ConditionalNode:
			walk(n.Cond, false, known)
			walk(n.Exp1, false, with(known, doneIn(n.Cond)))
			walk(n.Exp2, false, known)
		default:
			for _, c := range children(n) {
				walk(c, false, known)
			}
		}
	}
	walk(n, false, nil)
	return out
}

func walkBinary(n *ast.BinaryNode, def bool, known []string, walk func(ast.Node, bool, []string)) {
	switch n.Operator {
	case "??":
		walk(n.Left, true, known)
		walk(n.Right, def, known)
	case "==", "!=":
		walk(n.Left, true, known)
		walk(n.Right, true, known)
	case "&&", "and":
		walk(n.Left, false, known)
		walk(n.Right, false, with(known, doneIn(n.Left)))
	default:
		walk(n.Left, false, known)
		walk(n.Right, false, known)
	}
}

func with(a, b []string) []string { return append(slices.Clip(a), b...) }

func useOf(p []link) (use, bool) {
	switch p[0].name {
	case "steps":
		u := use{step: p[1].name, tailOpt: true, bare: len(p) == 2, outputs: len(p) == 2}
		if len(p) > 2 && p[2].name == "outputs" {
			u.outputs = true
			if len(p) > 3 {
				u.output, u.opt = p[3].name, p[3].opt
			} else {
				u.opt = true // a whole that is absent is nil: only "??" is needed
			}
		}
		if len(p) > 4 {
			u.tailOpt = p[4].opt
		}
		return u, true
	case "inputs":
		return use{input: p[1].name, tailOpt: len(p) == 2 || p[2].opt}, true
	case "result":
		return use{result: p[1].name, tailOpt: len(p) == 2 || p[2].opt}, true
	}
	return use{}, false
}

// doneIn are the steps that a condition, when true, shows to be done: steps.x.status == "done" joined by &&.
func doneIn(n ast.Node) []string {
	var out []string
	for _, c := range conjuncts(n) {
		b, ok := c.(*ast.BinaryNode)
		if !ok || b.Operator != "==" {
			continue
		}
		p, s := path(b.Left), b.Right
		if p == nil {
			p, s = path(b.Right), b.Left
		}
		lit, ok := s.(*ast.StringNode)
		if ok && lit.Value == "done" && len(p) == 3 && p[0].name == "steps" && p[2].name == "status" {
			out = append(out, p[1].name)
		}
	}
	return out
}

// conjuncts are the parts of a condition that all must hold.
func conjuncts(n ast.Node) []ast.Node {
	if b, ok := n.(*ast.BinaryNode); ok && (b.Operator == "&&" || b.Operator == "and") {
		return append(conjuncts(b.Left), conjuncts(b.Right)...)
	}
	return []ast.Node{n}
}
