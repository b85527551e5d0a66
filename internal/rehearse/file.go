package rehearse

import (
	"maps"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/tourniquet-ir/tourniquet/internal/diag"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

// File is one test file that was read.
type File struct {
	Name     string
	Playbook string // name of the playbook's file, beside this one
	Tests    []*Case

	program *playbooks.Program // after Bind
	cards   playbooks.Catalog
}

// Case is one test: what is given, what people do, what is expected.
type Case struct {
	Name   string
	at     place
	now    time.Time
	mode   string
	people map[string][]string // person -> groups
	alert  Alert
	inputs map[string]any
	mocks  []*mock
	moves  []*move
	expect expect

	anybody bool // a preview: whoever is needed is there
}

// given are the defaults of a file, which a test may say anew.
type given struct {
	now    time.Time
	mode   string
	people map[string][]string
	alert  *yaml.Node
	inputs map[string]any
	mocks  []*mock
}

// Read takes a test file apart. All faults come at once, sorted; the file is nil when one of them is an error.
func Read(name string, body []byte) (*File, []diag.Fault) {
	r := &reader{file: name, left: maxNodes}
	f := r.testFile(body)
	f.Name = name
	faults := diag.Sort(r.faults)
	if diag.HasErrors(faults) {
		return nil, faults
	}
	return f, faults
}

func (r *reader) testFile(body []byte) *File {
	f := &File{}
	root := r.document(body)
	if root == nil {
		return f
	}
	start := given{now: time.Date(2026, 3, 4, 3, 12, 0, 0, time.UTC), mode: incident.ModeEnforce, people: map[string][]string{}}
	var tests *yaml.Node
	for _, e := range r.fields(root, "a test file", []string{"playbook", "now", "mode", "people", "alert", "inputs", "mocks", "tests"}) {
		switch e.name {
		case "playbook":
			f.Playbook = r.text(e.val, "playbook")
			if strings.ContainsAny(f.Playbook, `/\`) || !strings.HasSuffix(f.Playbook, ".yaml") {
				r.err(at(e.val), "shape", "as llmjacking.yaml", "playbook names a file in the same folder, not %q", cut(f.Playbook))
			}
		case "tests":
			tests = e.val
		default:
			r.given(e, &start)
		}
	}
	if f.Playbook == "" {
		r.err(place{1, 1}, "missing-key", "as playbook: llmjacking.yaml", "a test file needs the key %q", "playbook")
	}
	if tests == nil {
		r.err(place{1, 1}, "missing-key", "", "a test file needs the key %q", "tests")
		return f
	}
	list := r.list(tests, "tests")
	if len(list) > maxTests {
		r.err(at(tests), "budget", "split it into several test files", "the file has %d tests; at most %d are run", len(list), maxTests)
		return f
	}
	names := map[string]bool{}
	for _, n := range list {
		c := r.test(n, start)
		if names[c.Name] {
			r.err(c.at, "duplicate-name", "", "another test is named %q, too", cut(c.Name))
		}
		names[c.Name] = true
		f.Tests = append(f.Tests, c)
	}
	return f
}

// given reads a key that both a file and a test may have.
func (r *reader) given(e field, g *given) {
	switch e.name {
	case "now":
		g.now = r.time(e.val, "now")
	case "mode":
		g.mode = r.oneOf(e.val, "mode", incident.ModeEnforce, incident.ModeObserve)
	case "people":
		g.people = r.people(e.val)
	case "alert":
		g.alert = e.val
	case "inputs":
		g.inputs = map[string]any{}
		for _, in := range r.fields(e.val, "inputs", nil) {
			g.inputs[in.name] = r.value(in.val, 0)
		}
	case "mocks":
		g.mocks = append(r.mocks(e.val), g.mocks...) // the first that fits is taken: a test goes before its file
	}
}

func (r *reader) people(n *yaml.Node) map[string][]string {
	out := map[string][]string{}
	for _, p := range r.fields(n, "people", nil) {
		out[p.name] = r.texts(p.val, "the groups of "+p.name)
	}
	return out
}

func (r *reader) test(n *yaml.Node, g given) *Case {
	g.people, g.inputs = maps.Clone(g.people), maps.Clone(g.inputs)
	c := &Case{at: at(n)}
	var later []field
	expects := false
	for _, e := range r.fields(n, "a test", []string{"name", "now", "mode", "people", "alert", "inputs", "mocks", "answers", "decisions", "expect"}) {
		switch e.name {
		case "name":
			c.Name = r.text(e.val, "name")
		case "answers", "decisions":
			later = append(later, e)
		case "expect":
			c.expect, expects = r.readExpect(e.val), true
		default:
			r.given(e, &g)
		}
	}
	c.now, c.mode, c.people, c.inputs, c.mocks = g.now, g.mode, g.people, g.inputs, g.mocks
	for _, e := range later {
		for _, m := range r.list(e.val, e.name) {
			c.moves = append(c.moves, r.move(m, e.name == "decisions", c.people))
		}
	}
	if g.alert != nil {
		c.alert = r.alert(g.alert, c.now)
	} else {
		c.alert = blankAlert(c.now)
	}
	if c.Name == "" {
		r.err(c.at, "missing-key", "", "a test needs the key %q", "name")
	}
	if !expects {
		r.err(c.at, "missing-key", "as expect: { outcome: contained }", "a test that expects nothing cannot fail")
	}
	return c
}
