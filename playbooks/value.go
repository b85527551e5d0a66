package playbooks

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Kinds of a Value.
const (
	ValueLit  = "lit"
	ValueExpr = "expr"
	ValueText = "text"
	ValueList = "list"
	ValueMap  = "map"
)

// Eval computes a value in one pass: what an expression returns is never parsed again. A value that is one whole
// expression keeps its type; inside a text, nil is written as nothing.
func (v Value) Eval(env map[string]any, now time.Time) (any, error) {
	switch v.Kind {
	case ValueExpr:
		return Eval(v.Expr, env, now)
	case ValueText:
		return v.text(env, now)
	case ValueList:
		out := make([]any, 0, len(v.List))
		for _, item := range v.List {
			x, err := item.Eval(env, now)
			if err != nil {
				return nil, err
			}
			out = append(out, x)
		}
		return out, nil
	case ValueMap:
		out := make(map[string]any, len(v.Map))
		for _, b := range v.Map {
			x, err := b.Value.Eval(env, now)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", b.Name, err)
			}
			out[b.Name] = x
		}
		return out, nil
	}
	return v.Lit, nil
}

func (v Value) text(env map[string]any, now time.Time) (string, error) {
	var b strings.Builder
	for _, p := range v.Text {
		b.WriteString(p.Lit)
		if p.Expr == "" {
			continue
		}
		x, err := Eval(p.Expr, env, now)
		if err != nil {
			return "", err
		}
		s, err := text(x)
		if err != nil {
			return "", fmt.Errorf("the expression %q: %w", crop(p.Expr), err)
		}
		if b.Len()+len(s) > maxText {
			return "", fmt.Errorf("the text is longer than %d bytes", maxText)
		}
		b.WriteString(s)
	}
	return b.String(), nil
}

// Refs are the step outputs that a value reads: where one of them is made by a later call of the same request, the
// value is "known after" it.
func (v Value) Refs() []Ref {
	var out []Ref
	for _, code := range v.expressions() {
		for _, r := range References(code) {
			if !slices.Contains(out, r) {
				out = append(out, r)
			}
		}
	}
	return out
}

func (v Value) expressions() []string {
	var out []string
	if v.Kind == ValueExpr {
		out = append(out, v.Expr)
	}
	for _, p := range v.Text {
		if p.Expr != "" {
			out = append(out, p.Expr)
		}
	}
	for _, item := range v.List {
		out = append(out, item.expressions()...)
	}
	for _, b := range v.Map {
		out = append(out, b.Value.expressions()...)
	}
	return out
}

// Trigger reports whether a playbook answers to the alert in env; one without a trigger answers to none.
func Trigger(p *Program, env map[string]any, now time.Time) (bool, error) {
	if p.Trigger == "" {
		return false, nil
	}
	out, err := Eval(p.Trigger, env, now)
	if err != nil {
		return false, err
	}
	yes, ok := out.(bool)
	if !ok {
		return false, fmt.Errorf("the trigger of playbook %q gives %s instead of true or false", p.ID, kindOf(out))
	}
	return yes, nil
}

// Fixed reports whether no expression is in the value.
func (v Value) Fixed() bool { return len(v.expressions()) == 0 }

// Written is the value as an author would write it in one line.
func (v Value) Written() string {
	switch v.Kind {
	case ValueExpr:
		return "${{ " + v.Expr + " }}"
	case ValueText:
		var out strings.Builder
		for _, p := range v.Text {
			out.WriteString(p.Lit)
			if p.Expr != "" {
				out.WriteString("${{ " + p.Expr + " }}")
			}
		}
		return out.String()
	case ValueList:
		parts := make([]string, 0, len(v.List))
		for _, e := range v.List {
			parts = append(parts, e.Written())
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case ValueMap:
		parts := make([]string, 0, len(v.Map))
		for _, b := range v.Map {
			parts = append(parts, b.Name+": "+b.Value.Written())
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return fmt.Sprint(v.Lit)
}
