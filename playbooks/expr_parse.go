package playbooks

import (
	"errors"
	"fmt"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/builtin"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"
)

// Limits of one expression.
const (
	maxCode  = 2000 // bytes
	maxNodes = 300
	maxRange = 100 // 1..100
)

// ExprError is a fault inside an expression. Line and Col count from 1 inside the expression.
type ExprError struct {
	Line, Col int
	Message   string
}

func (e *ExprError) Error() string { return e.Message }

// allowed are the builtins that are deterministic and whose cost and result stay small. Whether a predicate
// walks a list is marked, because those do not nest.
func allowed() map[string]bool {
	m := map[string]bool{}
	for _, name := range strings.Fields("all none any one filter map find findIndex findLast findLastIndex count sortBy") {
		m[name] = true
	}
	for _, name := range strings.Fields(`len abs ceil floor round int float trim trimPrefix trimSuffix upper lower
		hasPrefix hasSuffix indexOf lastIndexOf max min sum mean median first last take reverse uniq sort now`) {
		m[name] = false
	}
	return m
}

// own are the functions that we put in place of builtins.
const own = " duration string split join date "

// newConfig is the one configuration that lint and run share, so that both see the same language.
func newConfig() *conf.Config {
	c := conf.CreateNew()
	c.Optimize = false
	c.MaxNodes = maxNodes
	keep := allowed()
	for _, b := range builtin.Builtins {
		if _, ok := keep[b.Name]; !ok {
			c.Disabled[b.Name] = true
			delete(c.Builtins, b.Name)
		}
	}
	for _, f := range functions() {
		f(c)
	}
	return c
}

// parseExpr parses and refuses what the language leaves out.
func parseExpr(code string, c *conf.Config) (*parser.Tree, *ExprError) {
	if len(code) > maxCode {
		return nil, &ExprError{1, 1, fmt.Sprintf("the expression is longer than %d bytes", maxCode)}
	}
	if strings.TrimSpace(code) == "" {
		return nil, &ExprError{1, 1, "the expression is empty"}
	}
	tree, err := parser.ParseWithConfig(code, c)
	if err != nil {
		return nil, located(err)
	}
	if fault := inspect(tree.Node, false); fault != nil {
		return nil, located(fault.Bind(tree.Source))
	}
	return tree, nil
}

// located turns the library's error, which draws its own snippet, into ours.
func located(err error) *ExprError {
	var f *file.Error
	if errors.As(err, &f) {
		return &ExprError{max(f.Line, 1), f.Column + 1, cropTo(f.Message, 240)}
	}
	return &ExprError{1, 1, cropTo(err.Error(), 240)}
}

// inspect refuses what could be slow, large or different from one run to the next.
func inspect(n ast.Node, inside bool) *file.Error {
	if why := refusal(n, inside); why != "" {
		return &file.Error{Location: n.Location(), Message: why}
	}
	if b, ok := n.(*ast.BuiltinNode); ok && allowed()[b.Name] {
		for i, arg := range b.Arguments {
			if fault := inspect(arg, inside || i > 0); fault != nil {
				return fault
			}
		}
		return nil
	}
	for _, child := range children(n) {
		if fault := inspect(child, inside); fault != nil {
			return fault
		}
	}
	return nil
}

func refusal(n ast.Node, inside bool) string {
	switch n := n.(type) {
	case *ast.IdentifierNode:
		if strings.HasPrefix(n.Value, "$") || strings.HasPrefix(n.Value, "__") {
			return fmt.Sprintf("unknown name %s", n.Value)
		}
	case *ast.BuiltinNode:
		if inside && allowed()[n.Name] {
			return fmt.Sprintf("%s inside another predicate is refused: predicates do not nest", n.Name)
		}
		if inside && (n.Name == "sort" || n.Name == "uniq" || n.Name == "reverse") {
			return fmt.Sprintf("%s inside a predicate is refused: it would run for every item", n.Name)
		}
		if n.Name == "now" && len(n.Arguments) > 0 {
			return "now takes no arguments: it is the clock of the run, in UTC"
		}
	case *ast.CallNode:
		id, ok := n.Callee.(*ast.IdentifierNode)
		if !ok || !strings.Contains(own, " "+id.Value+" ") {
			return "this cannot be called: only the functions of the language can"
		}
		if inside && (id.Value == "split" || id.Value == "join") {
			return fmt.Sprintf("%s inside a predicate is refused: it would run for every item", id.Value)
		}
	case *ast.MemberNode:
		if !constant(n.Property) {
			return "a field is named by a constant: the name of a field cannot be computed"
		}
	case *ast.BinaryNode:
		if n.Operator == ".." {
			return rangeRefusal(n)
		}
	case *ast.SequenceNode:
		return "one expression only: ; is for let"
	case *ast.BytesNode:
		return "bytes are not part of the language: use a text"
	}
	return ""
}

func constant(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.StringNode, *ast.IntegerNode:
		return true
	case *ast.UnaryNode:
		_, ok := n.Node.(*ast.IntegerNode)
		return ok && n.Operator == "-"
	}
	return false
}

func rangeRefusal(n *ast.BinaryNode) string {
	from, ok1 := n.Left.(*ast.IntegerNode)
	to, ok2 := n.Right.(*ast.IntegerNode)
	if !ok1 || !ok2 || to.Value-from.Value < 0 || to.Value-from.Value >= maxRange || to.Value < from.Value {
		return fmt.Sprintf("a range has two literal ends and at most %d numbers", maxRange)
	}
	return ""
}
