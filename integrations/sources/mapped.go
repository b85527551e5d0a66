package sources

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/expr-lang/expr/types"

	"github.com/tourniquet-ir/tourniquet/internal/diag"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

// Text is a piece of the configuration with the place where it is written.
type Text struct {
	Value        string
	Line, Column int
}

// Mapping makes a source out of configuration: each field of our alert is a text in the manner of playbooks, literal except
// for ${{ … }}, over the finding. The expressions are those of playbooks, with all their bounds.
type Mapping struct {
	File   string
	Source []byte          // the text of the file, for places
	At     Text            // where the source begins
	Each   Text            // expression that gives a list; empty: the delivery is one finding
	Fields map[string]Text // see mappedFields
	Tests  []MappingTest
}

// MappingTest is a finding and what has to become of it.
type MappingTest struct {
	Name    Text
	Finding any
	Headers map[string]string
	Expect  map[string]any // field to value; or ignored: true, refused: true
}

// mappedFields are what a mapping may fill in; the first three it must.
var mappedFields = []string{"id", "kind", "title", "severity", "observed_at", "key.provider", "key.account", "key.id", "key.hint", "key.secret", "links", "thread", "ignore"}

type mapped struct {
	name   string
	each   string
	fields map[string]template
	order  []string
	card   Card
}

// NewMapped checks a mapping and runs its tests. Without errors among the faults the source is good.
func NewMapped(name string, m Mapping) (Source, []diag.Fault) {
	c := mapChecker{m: m, lines: strings.Split(string(m.Source), "\n")}
	s := &mapped{name: name, fields: map[string]template{}}
	names := map[string]types.Type{"finding": types.Any, "headers": types.Map{types.Extra: types.String}}
	if m.Each.Value != "" {
		s.each = strings.TrimSpace(m.Each.Value)
		c.expression(m.Each, s.each, 0, playbooks.Shape{Names: names})
		names["item"] = types.Any
	}
	for _, f := range mappedFields {
		text, given := m.Fields[f]
		if !given {
			continue
		}
		t := c.template(text, playbooks.Shape{Names: names})
		s.fields[f], s.order = t, append(s.order, f)
	}
	c.names(s)
	if len(c.faults) == 0 {
		s.card = describeMapped(name, m)
		c.tests(s)
	}
	return s, diag.Sort(c.faults)
}

// Name implements Source.
func (s *mapped) Name() string { return s.name }

// Describe implements Source.
func (s *mapped) Describe() Card { return s.card }

func describeMapped(name string, m Mapping) Card {
	c := Card{
		Name: name, Path: "/v1/alerts/" + name, Kinds: alertKinds, Media: []string{mediaJSON}, Headers: []string{"Content-Type: application/json"},
		Summary: "Mapped by the configuration, " + m.File + ":" + strconv.Itoa(m.At.Line) + ".",
		Auth:    "as configured: Authorization: Bearer TOKEN, or " + GenericSignature + ": sha256=<hex HMAC-SHA256 of the body>",
		SetUp:   []string{"Post the JSON of the sender to https://HOST/v1/alerts/" + name + "."},
		Example: json.RawMessage("{}"),
	}
	_, secret := m.Fields["key.secret"]
	c.Keeps = !secret // what cannot be read cannot be blackened either
	for _, t := range m.Tests {
		if t.Expect["ignored"] == nil && t.Expect["refused"] == nil {
			if raw, err := json.MarshalIndent(t.Finding, "", "  "); err == nil {
				c.Example = raw
				break
			}
		}
	}
	return c
}

// Decode implements Source.
func (s *mapped) Decode(_ context.Context, r Request) (Delivery, error) {
	finding, err := decodeAny(r.Body)
	if err != nil {
		return Delivery{}, err
	}
	head := keep(r.Headers, "Content-Type", "User-Agent")
	env := map[string]any{"finding": finding, "headers": visible(r)}
	items := []any{nil}
	if s.each != "" {
		got, err := playbooks.Eval(s.each, env, r.At)
		list, ok := got.([]any)
		if err != nil || !ok {
			return Delivery{}, refuse("each of the mapping gives no list here")
		}
		if err := tooMany(len(list)); err != nil {
			return Delivery{}, err
		}
		items = list
	}
	out := Delivery{Headers: head}
	for _, item := range items {
		if s.each != "" {
			env["item"] = item
		}
		d, skip, err := s.one(env, r)
		if err != nil {
			return Delivery{}, err
		}
		if !skip {
			out.Findings = append(out.Findings, d)
		}
	}
	if len(out.Findings) == 0 {
		out.Ignored = "the mapping leaves it out"
	}
	return out, nil
}

// visible are the headers that a mapping may look at: never those that prove who sends.
func visible(r Request) map[string]any {
	out := map[string]any{}
	for name, values := range r.Headers {
		low := strings.ToLower(name)
		if len(values) == 1 && !strings.Contains(low, "auth") && !strings.Contains(low, "cookie") && !strings.Contains(low, "signature") && !strings.Contains(low, "token") {
			out[low] = cut(values[0], 500)
		}
	}
	return out
}

func decodeAny(body []byte) (any, error) {
	first := json.Delim('{')
	if t := strings.TrimSpace(string(body)); strings.HasPrefix(t, "[") {
		first = '['
	}
	if err := checkWhole(body, first, false, "a JSON object or array"); err != nil {
		return nil, err
	}
	var v any
	return v, unmarshal(body, &v, false)
}

// one maps one finding. A value never stands in a refusal: it may be the secret.
func (s *mapped) one(env map[string]any, r Request) (d Decoded, skip bool, err error) {
	got := map[string]string{}
	var listed []string
	var seenAt time.Time
	for _, f := range s.order {
		v, err := s.fields[f].eval(env, r.At)
		if err != nil {
			return Decoded{}, false, refuse("the mapping of %s (line %d) does not fit this finding", f, s.fields[f].at.Line)
		}
		switch f {
		case "ignore":
			if v == true {
				return Decoded{}, true, nil
			}
		case "links":
			listed = texts(v)
		case "observed_at":
			seenAt = instant(v)
		default:
			text, ok := scalar(v)
			if !ok {
				return Decoded{}, false, refuse("the mapping of %s (line %d) gives a list or a map here, and a text is wanted", f, s.fields[f].at.Line)
			}
			got[f] = strings.TrimSpace(text)
		}
	}
	b := genericBody{
		ID: got["id"], Kind: got["kind"], Severity: got["severity"], Title: title("%s", got["title"]), Links: links(listed...),
		Key: genericKey{
			Provider: strings.ToLower(got["key.provider"]), Account: got["key.account"], ID: got["key.id"], Hint: cut(got["key.hint"], 50), Secret: got["key.secret"],
		},
	}
	if b.Severity != "" {
		b.Severity = severityOf(b.Severity)
	}
	if len(b.ID) > 200 {
		b.ID = digestOf(b.ID)
	}
	d, err = b.decoded(r.At)
	if !seenAt.IsZero() {
		d.Alert.ObservedAt = seen(seenAt, r.At)
	}
	if d.Thread = cut(got["thread"], 500); d.Alert.Kind == incident.KindResolved {
		d.Alert.Fingerprint += "|resolved"
	}
	return d, false, err
}

// scalar writes a value as text, as far as it is one.
func scalar(v any) (string, bool) {
	switch v := v.(type) {
	case nil:
		return "", true
	case string:
		return v, true
	case bool:
		return strconv.FormatBool(v), true
	case int:
		return strconv.Itoa(v), true
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), true
	case time.Time:
		return v.UTC().Format(time.RFC3339Nano), true
	case time.Duration:
		return v.String(), true
	}
	return "", false
}

func texts(v any) []string {
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	var out []string
	for _, x := range list {
		if t, ok := x.(string); ok && t != "" && !slices.Contains(out, t) {
			out = append(out, t)
		}
	}
	return out
}

// instant reads what senders write for a time: RFC 3339, or seconds or milliseconds of Unix.
func instant(v any) time.Time {
	if t, ok := v.(time.Time); ok {
		return t
	}
	text, _ := scalar(v)
	at, _ := readStamp(text)
	return at
}
