package rehearse

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/tourniquet-ir/tourniquet/internal/diag"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

// The fixed budget of one test file. Anchors may be used, so what they unfold to is counted.
const (
	maxFile  = 256 << 10
	maxNodes = 100_000
	maxDepth = 40
	maxTests = 500
)

// place is a position in the file; both count from 1, columns in characters.
type place struct{ line, col int }

func at(n *yaml.Node) place { return place{n.Line, n.Column} }

// reader collects every fault of a file while it is read.
type reader struct {
	file   string
	faults []diag.Fault
	left   int // nodes that may still be looked at
}

func (r *reader) err(p place, rule, hint, format string, args ...any) {
	r.faults = append(r.faults, diag.Fault{
		File: r.file, Line: max(p.line, 1), Column: max(p.col, 1), Rule: rule, Severity: diag.Error, Message: fmt.Sprintf(format, args...), Hint: hint,
	})
}

// document parses one YAML document; nil when there is nothing to go on with.
func (r *reader) document(body []byte) *yaml.Node {
	start := place{1, 1}
	switch {
	case len(body) > maxFile:
		r.err(start, "budget", "split it into several test files", "the file has %d bytes; at most %d are read", len(body), maxFile)
		return nil
	case !utf8.Valid(body) || bytes.IndexByte(body, 0) >= 0:
		r.err(start, "syntax", "save it as UTF-8", "the file is not UTF-8 text")
		return nil
	}
	dec := yaml.NewDecoder(bytes.NewReader(body))
	var doc, second yaml.Node
	if err := dec.Decode(&doc); err != nil {
		r.syntax(err)
		return nil
	}
	if err := dec.Decode(&second); !errors.Is(err, io.EOF) {
		r.err(at(&second), "syntax", "one test file per playbook", "a second document is refused")
		return nil
	}
	if len(doc.Content) != 1 {
		return nil
	}
	return doc.Content[0]
}

var yamlLine = regexp.MustCompile(`line (\d+): `)

func (r *reader) syntax(err error) {
	if errors.Is(err, io.EOF) {
		r.err(place{1, 1}, "syntax", "start with: playbook: <name>.yaml", "the file is empty")
		return
	}
	line, msg := 1, strings.TrimPrefix(err.Error(), "yaml: ")
	if m := yamlLine.FindStringSubmatch(msg); m != nil {
		line, _ = strconv.Atoi(m[1]) // the pattern takes digits only; 0 is mended below
		msg = strings.Replace(msg, m[0], "", 1)
	}
	r.err(place{line, 1}, "syntax", "", "this is not YAML: %s", cut(msg))
}

// real is the node itself or what its alias stands for; nil once the budget is spent.
func (r *reader) real(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode && n.Alias != nil && r.left > 0 {
		r.left--
		n = n.Alias
	}
	r.left--
	if r.left == 0 {
		r.err(at(n), "budget", "", "with its anchors unfolded the file has more than %d values", maxNodes)
	}
	if r.left <= 0 {
		return nil
	}
	return n
}

// field is one key with its value.
type field struct {
	name string
	at   place
	val  *yaml.Node
}

// fields reads a map strictly. A merge (<<) gives what the map itself does not say.
func (r *reader) fields(n *yaml.Node, what string, allowed []string) []field {
	var out []field
	seen := map[string]place{}
	r.collect(n, what, 0, func(f field) bool {
		if first, twice := seen[f.name]; twice {
			r.err(f.at, "duplicate-key", fmt.Sprintf("the first one stands in line %d", first.line), "%s has the key %q twice", what, f.name)
			return false
		}
		seen[f.name] = f.at
		return true
	}, func(f field) {
		if _, own := seen[f.name]; own {
			return
		}
		seen[f.name] = f.at
		out = append(out, f)
	}, &out)
	if allowed == nil {
		return out
	}
	kept := out[:0]
	for _, f := range out {
		if !contains(allowed, f.name) {
			r.err(f.at, "unknown-key", guess(f.name, allowed), "%s has no key %q", what, cut(f.name))
			continue
		}
		kept = append(kept, f)
	}
	return kept
}

// collect walks the keys of a map: own keys first, then what is merged in.
func (r *reader) collect(n *yaml.Node, what string, depth int, own func(field) bool, merged func(field), out *[]field) {
	n = r.real(n)
	if n == nil {
		return
	}
	if n.Kind != yaml.MappingNode || depth > maxDepth {
		r.err(at(n), "shape", "", "%s is a map of keys and values", what)
		return
	}
	var merges []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		switch {
		case k.Kind != yaml.ScalarNode:
			r.err(at(k), "shape", "", "a key of %s is a plain word", what)
		case k.Tag == "!!merge":
			merges = append(merges, v)
		case depth > 0:
			merged(field{k.Value, at(k), v})
		case own(field{k.Value, at(k), v}):
			*out = append(*out, field{k.Value, at(k), v})
		}
	}
	for _, m := range merges {
		m = r.real(m)
		if m == nil {
			return
		}
		if m.Kind != yaml.SequenceNode {
			m = &yaml.Node{Kind: yaml.SequenceNode, Content: []*yaml.Node{m}}
		}
		for _, one := range m.Content {
			r.collect(one, what, depth+1, own, merged, out)
		}
	}
}

func (r *reader) list(n *yaml.Node, what string) []*yaml.Node {
	n = r.real(n)
	if n == nil {
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		r.err(at(n), "shape", "", "%s is a list", what)
		return nil
	}
	return n.Content
}

// text reads a word; empty and false where it is none.
func (r *reader) text(n *yaml.Node, what string) string {
	n = r.real(n)
	if n == nil {
		return ""
	}
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		r.err(at(n), "shape", "", "%s is a text", what)
		return ""
	}
	return n.Value
}

func (r *reader) texts(n *yaml.Node, what string) []string {
	out := []string{}
	for _, item := range r.list(n, what) {
		out = append(out, r.text(item, "an entry of "+what))
	}
	return out
}

func (r *reader) oneOf(n *yaml.Node, what string, allowed ...string) string {
	before := len(r.faults)
	v := r.text(n, what)
	if len(r.faults) == before && !contains(allowed, v) {
		r.err(at(n), "shape", guess(v, allowed), "%q is not a value of %s", cut(v), what)
	}
	return v
}

func (r *reader) whole(n *yaml.Node, what string, least, most int) int {
	v, err := strconv.Atoi(r.text(n, what))
	if err != nil || v < least || v > most {
		r.err(at(n), "shape", "", "%s is a whole number from %d to %d", what, least, most)
		return least
	}
	return v
}

func (r *reader) yes(n *yaml.Node, what string) bool {
	return r.oneOf(n, what, "true", "false") == "true"
}

func (r *reader) duration(n *yaml.Node, what string) time.Duration {
	text := r.text(n, what)
	if text == "0" {
		return 0
	}
	d, err := playbooks.ParseDuration(text)
	if err != nil || d < 0 {
		r.err(at(n), "shape", "as 30s, 10m, 4h or 3d", "%s is a duration, not %q", what, cut(text))
	}
	return d
}

func (r *reader) time(n *yaml.Node, what string) time.Time {
	text := r.text(n, what)
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		r.err(at(n), "shape", "as 2026-03-04T03:12:00Z", "%s is a time, not %q", what, cut(text))
	}
	return t
}
