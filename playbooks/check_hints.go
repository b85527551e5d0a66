package playbooks

import (
	"fmt"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/types"

	"github.com/tourniquet-ir/tourniquet/internal/diag"
)

// exprHint says what was allowed and guesses what was meant.
func (s *sheet) exprHint(x *site, msg string) string {
	if word, ok := strings.CutPrefix(msg, "unknown name "); ok {
		names := sortedKeys(s.names(x))
		if g := diag.Guess(word, append(functionNames(), names...)); g != "" {
			return fmt.Sprintf("did you mean %q? allowed: %s", g, strings.Join(names, ", "))
		}
		return guess("", names)
	}
	if word, ok := strings.CutPrefix(msg, "unknown field "); ok {
		return guess(word, s.fieldsNear(x, word))
	}
	switch {
	case strings.Contains(msg, "a bool is wanted here"):
		return "compare it, as key.provider == \"gemini\""
	case strings.Contains(msg, "a list is wanted here"):
		return "as ${{ key.dependents }}"
	case strings.Contains(msg, "is wanted here"):
		return asFor(x.want)
	case strings.Contains(msg, "mismatched types"):
		return "compare two of one type: texts with texts, numbers with numbers"
	}
	return ""
}

func functionNames() []string {
	out := append(strings.Fields(own), sortedKeys(allowed())...)
	slices.Sort(out)
	return out
}

func sortedKeys[V any](m map[string]V) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// fieldsNear are the fields that stand beside the one that does not exist.
func (s *sheet) fieldsNear(x *site, word string) []string {
	tree, fault := parseExpr(x.code, s.budget.parse)
	if fault != nil {
		return nil
	}
	base := memberBase(tree.Node, word)
	if len(base) == 0 {
		return nil
	}
	t, ok := s.names(x)[base[0].name]
	for _, l := range base[1:] {
		m, isMap := t.(types.Map)
		if !ok || !isMap {
			return nil
		}
		t, ok = m[l.name]
	}
	if v, isVar := t.(inferred); isVar && typeName(v.n) == TypeKey {
		t = keyType()
	} else if isVar && typeName(v.n) == TypeDepend {
		t = dependentType()
	}
	m, _ := t.(types.Map)
	known := sortedKeys(m)
	return slices.DeleteFunc(known, func(k string) bool { return k == "" })
}

// memberBase is the chain of fields before the first field of that name.
func memberBase(n ast.Node, word string) []link {
	if m, ok := n.(*ast.MemberNode); ok {
		if p := path(m); len(p) > 1 && p[len(p)-1].name == word {
			return p[:len(p)-1]
		}
	}
	for _, c := range children(n) {
		if p := memberBase(c, word); p != nil {
			return p
		}
	}
	return nil
}
