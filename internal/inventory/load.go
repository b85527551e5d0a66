package inventory

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/tourniquet-ir/tourniquet/internal/diag"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// maxFile is the largest inventory that is read, in bytes.
const maxFile = 8 << 20

const rule = "inventory"

var hashForm = regexp.MustCompile(`^[0-9a-f]{64}$`)

// Load reads an inventory; file is only used to name places. With any fault of severity error the inventory is empty.
func Load(file string, data []byte) (*Inventory, []diag.Fault) {
	l := &loader{file: file}
	if root := l.root(data); root != nil {
		l.top(root)
	}
	if faults := diag.Sort(l.faults); diag.HasErrors(faults) {
		return &Inventory{}, faults
	}
	return &Inventory{entries: l.entries}, diag.Sort(l.faults)
}

type loader struct {
	file    string
	faults  []diag.Fault
	entries []Entry
}

func (l *loader) fault(n *yaml.Node, hint, format string, args ...any) {
	l.faults = append(l.faults, diag.Fault{
		File: l.file, Line: max(n.Line, 1), Column: max(n.Column, 1), Rule: rule, Severity: diag.Error,
		Message: fmt.Sprintf(format, args...), Hint: hint,
	})
}

func (l *loader) root(data []byte) *yaml.Node {
	at := &yaml.Node{Line: 1, Column: 1}
	if len(data) > maxFile {
		l.fault(at, "", "the inventory is larger than %d bytes", maxFile)
		return nil
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc, more yaml.Node
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return nil // an empty file is an empty inventory
	case err != nil:
		at.Line = lineOf(err)
		l.fault(at, "", "this is not YAML: %s", strings.TrimPrefix(err.Error(), "yaml: "))
		return nil
	}
	if err := dec.Decode(&more); !errors.Is(err, io.EOF) {
		l.fault(at, "", "the file has more than one document")
		return nil
	}
	return doc.Content[0]
}

var yamlLine = regexp.MustCompile(`line (\d+)`)

func lineOf(err error) int {
	n := 1
	if m := yamlLine.FindStringSubmatch(err.Error()); m != nil {
		_, _ = fmt.Sscanf(m[1], "%d", &n)
	}
	return n
}

func (l *loader) top(root *yaml.Node) {
	if root.Kind == yaml.ScalarNode && root.Tag == "!!null" {
		return
	}
	f := l.fields(root, "the inventory", []string{"keys"}, nil)
	list := f["keys"]
	if list == nil {
		return
	}
	if list.Kind != yaml.SequenceNode {
		l.fault(list, "", "\"keys\" is a list")
		return
	}
	seen, dependents := map[string]int{}, map[string]int{}
	for _, n := range list.Content {
		e, good := l.key(n, dependents)
		if !good {
			continue
		}
		name := strings.Join([]string{e.Provider, e.Account, e.ID, e.Hash}, "\x00")
		if first, twice := seen[name]; twice {
			l.fault(n, "", "this key is already listed in line %d", first)
		}
		seen[name] = n.Line
		l.entries = append(l.entries, e)
	}
}

var keyFields = []string{"provider", "account", "id", "hash", "owner", "critical", "dependents", "watch"}

func (l *loader) key(n *yaml.Node, seen map[string]int) (Entry, bool) {
	before := len(l.faults)
	f := l.fields(n, "a key", keyFields, []string{"provider"})
	if f == nil {
		return Entry{}, false
	}
	e := Entry{
		Provider: l.text(f["provider"]), Account: l.text(f["account"]), ID: l.text(f["id"]),
		Hash: l.text(f["hash"]), Owner: l.text(f["owner"]), Line: n.Line, Dependents: []incident.Dependent{},
		Watch: l.watch(f["watch"]),
	}
	if c := f["critical"]; c != nil {
		if c.Tag != "!!bool" || c.Decode(&e.Critical) != nil {
			l.fault(c, "", "\"critical\" is true or false")
		}
	}
	switch {
	case (f["id"] == nil) == (f["hash"] == nil):
		l.fault(n, "", "a key is known by either \"id\" or \"hash\"")
	case f["hash"] != nil && !hashForm.MatchString(e.Hash):
		l.fault(f["hash"], "", "\"hash\" is 64 hex digits: never write the key itself here")
		l.faults[len(l.faults)-1].Hide = true
	}
	if list := f["dependents"]; list != nil && list.Kind != yaml.SequenceNode {
		l.fault(list, "", "\"dependents\" is a list")
	} else if list != nil {
		for _, d := range list.Content {
			if got, good := l.dependent(d, seen); good {
				e.Dependents = append(e.Dependents, got)
			}
		}
	}
	return e, len(l.faults) == before
}

// fields reads a mapping into its values by name; nil when it is none. Aliases are refused: a reviewer sees what is read.
func (l *loader) fields(n *yaml.Node, what string, known, required []string) map[string]*yaml.Node {
	if n.Kind != yaml.MappingNode {
		l.fault(n, "", "%s is a mapping of fields", what)
		return nil
	}
	out := map[string]*yaml.Node{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		switch {
		case k.Kind != yaml.ScalarNode || v.Kind == yaml.AliasNode:
			l.fault(k, "", "anchors, aliases and merged keys are not read here")
		case known != nil && !slices.Contains(known, k.Value):
			l.unknown(k, "field", known)
		case out[k.Value] != nil:
			l.fault(k, "", "%q is given twice, first in line %d", k.Value, out[k.Value].Line)
		default:
			out[k.Value] = v
		}
	}
	for _, r := range required {
		if out[r] == nil {
			l.fault(n, "", "%s needs the field %q", what, r)
		}
	}
	return out
}

func (l *loader) unknown(n *yaml.Node, what string, known []string) {
	hint := "one of " + strings.Join(known, ", ")
	if g := diag.Guess(n.Value, known); g != "" {
		hint = fmt.Sprintf("did you mean %q?", g)
	}
	l.fault(n, hint, "the %s %q is not known", what, n.Value)
}

// text reads a scalar that is not empty; numbers and booleans in it are taken as they are written.
func (l *loader) text(n *yaml.Node) string {
	if n == nil {
		return ""
	}
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" || strings.TrimSpace(n.Value) == "" {
		l.fault(n, "", "a text is wanted here")
		return ""
	}
	return n.Value
}
