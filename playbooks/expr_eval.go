package playbooks

import (
	"fmt"
	"time"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/checker"
	"github.com/expr-lang/expr/compiler"
	"github.com/expr-lang/expr/vm"
)

// memory is the budget of one evaluation, in the library's units (about one per list item or map entry).
const memory = 100_000

// compiledExpr is a program and the steps that it names.
type compiledExpr struct {
	program *vm.Program
	steps   []string
}

// Eval runs an expression. It is deterministic: now is the only clock, and nothing depends on the order of a map.
// env holds plain map[string]any, []any, string, bool, float64, int, time.Time and time.Duration values; a step that
// env does not know reads as one without outputs.
func Eval(code string, env map[string]any, now time.Time) (any, error) {
	prog, err := expressions.get(code)
	if err != nil {
		return nil, err
	}
	machine := vm.VM{MemoryBudget: memory}
	out, err := machine.Run(prog.program, runEnv(env, prog.steps, now))
	if err != nil {
		return nil, fmt.Errorf("the expression %q: %s", crop(code), located(err).Message)
	}
	out = plain(out)
	left := memory
	if err := measure(out, &left, 0); err != nil {
		return nil, fmt.Errorf("the expression %q: %w", crop(code), err)
	}
	return out, nil
}

// runEnv is a copy of env with the clock and with an empty record for every step that is named but not there.
func runEnv(env map[string]any, named []string, now time.Time) map[string]any {
	out := make(map[string]any, len(env)+1)
	for k, v := range env {
		out[k] = v
	}
	out["__now"] = now.UTC()
	if len(named) == 0 {
		return out
	}
	known, _ := env["steps"].(map[string]any)
	steps := make(map[string]any, len(known)+len(named))
	for _, id := range named {
		steps[id] = map[string]any{"status": "", "outputs": nil}
	}
	for k, v := range known {
		steps[k] = v
	}
	out["steps"] = steps
	return out
}

// compileRun compiles for the run: same language as lint, with the length checks patched in.
func compileRun(code string) (*compiledExpr, error) {
	c := newConfig()
	c.Strict = false
	tree, fault := parseExpr(code, c)
	if fault != nil {
		return nil, fmt.Errorf("the expression %q: %s", crop(code), fault.Message)
	}
	var steps []string
	for _, u := range usesOf(tree.Node) {
		if u.step != "" {
			steps = append(steps, u.step)
		}
	}
	internals(c)
	guard(&tree.Node, false)
	if _, err := checker.Check(tree, c); err != nil {
		return nil, fmt.Errorf("the expression %q: %s", crop(code), located(err).Message)
	}
	program, err := compiler.Compile(tree, c)
	if err != nil {
		return nil, fmt.Errorf("the expression %q: %s", crop(code), located(err).Message)
	}
	return &compiledExpr{program, steps}, nil
}

func call(name string, args ...ast.Node) ast.Node {
	return &ast.CallNode{Callee: &ast.IdentifierNode{Value: name}, Arguments: args}
}

// guard puts length checks around everything that could grow or be walked.
func guard(n *ast.Node, inside bool) {
	switch x := (*n).(type) {
	case *ast.UnaryNode:
		guard(&x.Node, inside)
	case *ast.BinaryNode:
		guard(&x.Left, inside)
		guard(&x.Right, inside)
		if x.Operator == "+" {
			ast.Patch(n, call("__add", x.Left, x.Right))
		}
		if x.Operator == "in" && inside {
			x.Right = call("__few", x.Right)
		}
	case *ast.ChainNode:
		guard(&x.Node, inside)
	case *ast.MemberNode:
		guard(&x.Node, inside)
	case *ast.SliceNode:
		guard(&x.Node, inside)
	case *ast.CallNode:
		for i := range x.Arguments {
			guard(&x.Arguments[i], inside)
		}
	case *ast.BuiltinNode:
		guardBuiltin(n, x, inside)
	case *ast.PredicateNode:
		guard(&x.Node, true)
	case *ast.VariableDeclaratorNode:
		guard(&x.Value, inside)
		guard(&x.Expr, inside)
	case *ast.ConditionalNode:
		guard(&x.Cond, inside)
		guard(&x.Exp1, inside)
		guard(&x.Exp2, inside)
	case *ast.ArrayNode:
		for i := range x.Nodes {
			guard(&x.Nodes[i], inside)
			x.Nodes[i] = call("__scalar", x.Nodes[i])
		}
	case *ast.MapNode:
		for _, p := range x.Pairs {
			if pair, ok := p.(*ast.PairNode); ok {
				guard(&pair.Value, inside)
				pair.Value = call("__scalar", pair.Value)
			}
		}
	}
}

func guardBuiltin(n *ast.Node, x *ast.BuiltinNode, inside bool) {
	if x.Name == "now" {
		ast.Patch(n, &ast.IdentifierNode{Value: "__now"})
		return
	}
	for i := range x.Arguments {
		guard(&x.Arguments[i], inside)
	}
	if len(x.Arguments) == 0 {
		return
	}
	switch p := x.Arguments[len(x.Arguments)-1].(type) {
	case *ast.PredicateNode:
		if x.Name == "map" {
			p.Node = call("__item", p.Node)
		}
	}
	switch {
	case allowed()[x.Name], x.Name == "sort", x.Name == "uniq":
		x.Arguments[0] = call("__limited", x.Arguments[0])
	case inside && (x.Name == "sum" || x.Name == "mean" || x.Name == "median" || x.Name == "max" || x.Name == "min"):
		for i := range x.Arguments {
			x.Arguments[i] = call("__few", x.Arguments[i])
		}
	}
}
