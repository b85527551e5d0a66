package playbooks

import (
	"fmt"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/checker"
	"github.com/expr-lang/expr/checker/nature"
	"github.com/expr-lang/expr/types"
)

// Checked is an expression that fits its shape.
type Checked struct {
	Code string
	Type string // field type, "list", "map" or "any"

	root ast.Node
	n    nature.Nature
}

// CompileExpr checks an expression strictly against what it may see: an unknown name or field, a wrong type and
// whatever could be slow or different from run to run is an error. The error is an *ExprError.
func CompileExpr(code string, shape Shape) (*Checked, error) {
	c := newConfig()
	c.WithEnv(types.Map(shape.Names))
	c.Strict = true
	tree, fault := parseExpr(code, c)
	if fault != nil {
		return nil, fault
	}
	root := tree.Node
	if _, err := checker.Check(tree, c); err != nil {
		return nil, located(err)
	}
	n := *root.Nature()
	have := typeName(n)
	if !fits(have, shape.Want) {
		return nil, &ExprError{1, 1, fmt.Sprintf("this is %s, and %s is wanted here", article(have), article(shape.Want))}
	}
	return &Checked{Code: code, Type: have, root: root, n: n}, nil
}

func article(t string) string {
	switch t {
	case "int", "any":
		return "an " + t
	case TypeStrings:
		return "a list of texts"
	case TypeString:
		return "a text"
	case "nil":
		return "nothing (nil)"
	}
	return "a " + t
}
