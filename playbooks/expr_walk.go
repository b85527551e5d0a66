package playbooks

import "github.com/expr-lang/expr/ast"

// children are the parts of a node, in source order.
func children(n ast.Node) []ast.Node {
	var out []ast.Node
	add := func(ns ...ast.Node) {
		for _, c := range ns {
			if c != nil {
				out = append(out, c)
			}
		}
	}
	switch n := n.(type) {
	case *ast.UnaryNode:
		add(n.Node)
	case *ast.BinaryNode:
		add(n.Left, n.Right)
	case *ast.ChainNode:
		add(n.Node)
	case *ast.MemberNode:
		add(n.Node, n.Property)
	case *ast.SliceNode:
		add(n.Node, n.From, n.To)
	case *ast.CallNode:
		add(n.Callee)
		add(n.Arguments...)
	case *ast.BuiltinNode:
		add(n.Arguments...)
	case *ast.PredicateNode:
		add(n.Node)
	case *ast.VariableDeclaratorNode:
		add(n.Value, n.Expr)
	case *ast.SequenceNode:
		add(n.Nodes...)
	case *ast.ConditionalNode:
		add(n.Cond, n.Exp1, n.Exp2)
	case *ast.ArrayNode:
		add(n.Nodes...)
	case *ast.MapNode:
		add(n.Pairs...)
	case *ast.PairNode:
		add(n.Key, n.Value)
	}
	return out
}

// step of a chain of fields: its name and whether it was reached with "?.".
type link struct {
	name string
	opt  bool
}

// path is the chain of constant fields that a node is, as steps . usage . outputs ?. requests; nil if it is none.
func path(n ast.Node) []link {
	switch n := n.(type) {
	case *ast.ChainNode:
		return path(n.Node)
	case *ast.IdentifierNode:
		return []link{{name: n.Value}}
	case *ast.MemberNode:
		base := path(n.Node)
		if base == nil {
			return nil
		}
		name := "[]"
		if s, ok := n.Property.(*ast.StringNode); ok {
			name = s.Value
		}
		return append(base, link{name, n.Optional})
	}
	return nil
}
