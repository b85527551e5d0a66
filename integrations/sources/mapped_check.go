package sources

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/diag"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

// template is a text with expressions in it.
type template struct {
	at    Text
	parts []part
}

type part struct {
	lit, code string
}

// eval keeps the type of a text that is one whole expression.
func (t template) eval(env map[string]any, now time.Time) (any, error) {
	if len(t.parts) == 1 && t.parts[0].code != "" {
		return playbooks.Eval(t.parts[0].code, env, now)
	}
	var b strings.Builder
	for _, p := range t.parts {
		b.WriteString(p.lit)
		if p.code == "" {
			continue
		}
		v, err := playbooks.Eval(p.code, env, now)
		if err != nil {
			return nil, err
		}
		text, ok := scalar(v)
		if !ok {
			return nil, errors.New("a list or a map cannot stand inside a text")
		}
		b.WriteString(text)
	}
	return b.String(), nil
}

// mapChecker collects every fault of a mapping.
type mapChecker struct {
	m      Mapping
	lines  []string
	faults []diag.Fault
}

func (c *mapChecker) fault(at Text, rule, hint, format string, args ...any) {
	c.faults = append(c.faults, diag.Fault{
		File: c.m.File, Line: at.Line, Column: at.Column, Rule: rule, Severity: diag.Error, Message: fmt.Sprintf(format, args...), Hint: hint,
	})
}

// template takes a text apart and checks what is inside.
func (c *mapChecker) template(t Text, shape playbooks.Shape) template {
	out := template{at: t}
	rest, offset := t.Value, 0
	for {
		i := strings.Index(rest, "${{")
		if i < 0 {
			break
		}
		j := strings.Index(rest[i:], "}}")
		if j < 0 {
			c.fault(t, "expression", "close it with }}", "an expression is not closed")
			return out
		}
		if i > 0 {
			out.parts = append(out.parts, part{lit: rest[:i]})
		}
		raw := rest[i+3 : i+j]
		code := strings.TrimSpace(raw)
		c.expression(t, code, offset+i+3+len(raw)-len(strings.TrimLeft(raw, " \t\n")), shape)
		out.parts = append(out.parts, part{code: code})
		rest, offset = rest[i+j+2:], offset+i+j+2
	}
	if rest != "" || len(out.parts) == 0 {
		out.parts = append(out.parts, part{lit: rest})
	}
	return out
}

// expression types one expression; a fault points into the file.
func (c *mapChecker) expression(t Text, code string, offset int, shape playbooks.Shape) {
	_, err := playbooks.CompileExpr(code, shape)
	var f *playbooks.ExprError
	if !errors.As(err, &f) {
		return
	}
	at := c.locate(t, code)
	if f.Line > 1 {
		at.Line += f.Line - 1
	} else {
		at.Column += f.Col - 1
	}
	hint := ""
	if word, ok := strings.CutPrefix(f.Message, "unknown name "); ok {
		hint = "an expression sees finding and headers" + map[bool]string{true: ", and item", false: "; item needs each"}[c.m.Each.Value != ""]
		_ = word
	}
	c.fault(at, "expression", hint, "%s", f.Message)
}

// locate finds where the code stands in the file: YAML has many ways to write one text.
func (c *mapChecker) locate(t Text, code string) Text {
	first, _, _ := strings.Cut(code, "\n")
	from := max(t.Column-1, 0)
	for l := t.Line; l >= 1 && l <= len(c.lines) && l < t.Line+50; l++ {
		line := c.lines[l-1]
		if from = min(from, len(line)); strings.Contains(line[from:], first) {
			return Text{t.Value, l, len([]rune(line[:from+strings.Index(line[from:], first)])) + 1}
		}
		from = 0
	}
	return t
}

// names refuses fields that we do not have and misses those that we need.
func (c *mapChecker) names(s *mapped) {
	for name, at := range c.m.Fields {
		if !slices.Contains(mappedFields, name) {
			c.fault(at, "unknown-key", diag.Guess(name, mappedFields), "%q is not a field of an alert; there are %s", name, strings.Join(mappedFields, ", "))
		}
	}
	for _, need := range mappedFields[:3] {
		if _, has := s.fields[need]; !has {
			c.fault(c.m.At, "missing", "", "the mapping has no %s", need)
		}
	}
	if k, has := s.fields["kind"]; has && len(k.parts) == 1 && k.parts[0].code == "" && !slices.Contains(alertKinds, k.parts[0].lit) {
		c.fault(k.at, "kind", diag.Guess(k.parts[0].lit, alertKinds), "%q is not a kind of alert; there are %s", k.parts[0].lit, strings.Join(alertKinds, ", "))
	}
	if len(c.m.Tests) == 0 {
		c.fault(c.m.At, "untested", "add tests: [{name: …, finding: {…}, expect: {kind: …}}]", "a mapping needs at least one test")
	}
}

// tests maps the finding of each test and compares.
func (c *mapChecker) tests(s *mapped) {
	for _, t := range c.m.Tests {
		body, err := json.Marshal(t.Finding)
		if err != nil {
			c.fault(t.Name, "test", "", "test %q: its finding cannot be written as JSON", t.Name.Value)
			continue
		}
		h := http.Header{"Content-Type": {mediaJSON}}
		for k, v := range t.Headers {
			h.Set(k, v)
		}
		got, err := s.Decode(context.Background(), Request{Headers: h, Body: body, At: farAway})
		for _, why := range differs(t.Expect, got, err) {
			c.fault(t.Name, "test", "", "test %q: %s", t.Name.Value, why)
		}
	}
}

// farAway is the time at which the findings of tests arrive: late enough that none lies in its future.
var farAway = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)

func differs(expect map[string]any, got Delivery, err error) (why []string) {
	refused, left := expect["refused"] == true, expect["ignored"] == true
	switch {
	case len(expect) == 0:
		return []string{"it expects nothing"}
	case err != nil && !refused:
		return []string{"refused: " + err.Error()}
	case err == nil && refused:
		return []string{"it was taken, and should be refused"}
	case left != (got.Ignored != "") && !refused:
		return []string{map[bool]string{true: "it was taken, and should be left out", false: "it was left out"}[left]}
	case refused || left:
		return nil
	}
	f := got.Findings[0]
	a := f.Alert
	have := map[string]any{
		"kind": a.Kind, "severity": a.Severity, "title": a.Title, "id": strings.TrimSuffix(a.Fingerprint, "|resolved"), "observed_at": a.ObservedAt.Format(time.RFC3339Nano),
		"key.provider": a.Key.Provider, "key.account": a.Key.Account, "key.id": a.Key.ID, "key.hint": a.Key.Hint, "key.secret": string(f.Secret),
		"links": strings.Join(a.Links, " "), "thread": f.Thread, "findings": len(got.Findings),
	}
	for name, want := range expect {
		is, known := have[name]
		text, _ := scalar(want)
		if list, ok := want.([]any); ok {
			text = strings.Join(texts(list), " ")
		}
		if at, ok := want.(time.Time); ok {
			text = at.UTC().Format(time.RFC3339Nano)
		}
		if !known {
			why = append(why, fmt.Sprintf("it expects %q, which no alert has", name))
		} else if fmt.Sprint(is) != text {
			why = append(why, fmt.Sprintf("%s is %q, expected %q", name, fmt.Sprint(is), text))
		}
	}
	slices.Sort(why)
	return why
}
