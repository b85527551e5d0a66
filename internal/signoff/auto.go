package signoff

import (
	"fmt"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/vm"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// AutoInput is what auto_if sees: nothing that an attacker can choose.
type AutoInput struct {
	Trust       string // of the source, from the configuration
	KeyCritical bool   // from the inventory
	KeyKnown    bool   // the key resolves to a configured account
	Reach       string // key, project or account, declared by the provider
}

// autoEnv gives auto_if its names, and their types to the compiler: a misspelt name does not compile.
type autoEnv struct {
	Source struct {
		Trust string `expr:"trust"`
	} `expr:"source"`
	Key struct {
		Critical bool `expr:"critical"`
		Known    bool `expr:"known"`
	} `expr:"key"`
	Reach string `expr:"reach"`
}

// Auto says whether an undoable action may run without sign-off, and why not. A source that may only tell never
// opens it, whatever the expression says; a key that is not known counts as critical, because nobody has said
// that it is not; a fault in the expression asks people.
func (p Policy) Auto(in AutoInput) (bool, string) {
	if in.Trust != incident.TrustAct {
		return false, fmt.Sprintf("the source has the trust %q; only %q may open automatic actions", in.Trust, incident.TrustAct)
	}
	switch in.Reach {
	case "key", "project", "account":
	default:
		return false, fmt.Sprintf("the action reaches %q, which is not key, project or account", in.Reach)
	}
	prog, err := compileAuto(p.Undoable.AutoIf)
	if err != nil {
		return false, err.Error()
	}
	var env autoEnv
	env.Source.Trust, env.Reach = in.Trust, in.Reach
	env.Key.Known, env.Key.Critical = in.KeyKnown, in.KeyCritical || !in.KeyKnown
	out, err := expr.Run(prog, env)
	if err != nil {
		return false, fmt.Sprintf("policy.undoable.auto_if could not be evaluated: %s", err)
	}
	if yes, ok := out.(bool); !ok || !yes {
		return false, fmt.Sprintf("policy.undoable.auto_if (%s) does not hold", p.Undoable.AutoIf)
	}
	return true, ""
}

func compileAuto(code string) (*vm.Program, error) {
	if code == "" {
		return nil, fmt.Errorf("policy.undoable.auto_if is missing; write 'false' where nothing may run without people")
	}
	prog, err := expr.Compile(code, expr.Env(autoEnv{}), expr.AsBool(), expr.DisableAllBuiltins())
	if err != nil {
		return nil, fmt.Errorf("policy.undoable.auto_if does not compile; it may use source.trust, key.critical, key.known and reach: %w", err)
	}
	return prog, nil
}
