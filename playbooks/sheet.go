package playbooks

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/types"
	"go.yaml.in/yaml/v3"

	"github.com/tourniquet-ir/tourniquet/internal/diag"
)

// pos is a place in the file; both count from 1, columns in characters.
type pos struct{ line, col int }

// sheet is a playbook while it is read and checked: the program, where everything stands, and the faults so far.
type sheet struct {
	file   string
	src    []byte
	lines  []string
	w      World
	budget *budget
	stack  []string // ids of the playbooks that inline this one

	p      *Program
	keys   map[string]pos
	nodes  []*node // all steps in file order
	top    map[string][]*node
	byID   map[string]*node
	sites  []*site // expressions
	vars   map[string]types.Type
	faults []diag.Fault
}

// budget is shared by a playbook and everything that it inlines: what was used up, and what is made once.
type budget struct {
	steps   int
	sites   int
	bytes   int // of the sub-playbooks, counted as often as they are called
	subs    map[string]inlined
	clauses map[string]Clause
	hashes  map[string]string
	secret  *regexp.Regexp
	parse   *conf.Config // for parsing alone; checking needs one of its own
}

func newBudget() *budget {
	return &budget{subs: map[string]inlined{}, hashes: map[string]string{}, secret: secretForms(), parse: newConfig()}
}

// node is a step while it is checked.
type node struct {
	step    Step
	at      pos
	keys    map[string]pos // place of each key's value
	parent  *node
	kids    []*node
	section string
	order   int
	card    Card
	known   bool // the card is
	inputs  map[string]*given
}

// given is one binding of "with".
type given struct {
	at    pos
	value Value
}

// site is one expression and what it must be.
type site struct {
	code   string
	places places
	key    string // where it stands: if, until, with.<input>, …
	want   string
	text   bool // part of a text: must be writable
	in     *node
	info   *Checked
	uses   []use
}

// at is where the expression begins.
func (x *site) at() pos { return x.places.at(0) }

// spot is the place of a line and column inside the expression, as the expression library counts them.
func (x *site) spot(line, col int) pos {
	at := 0
	for _, l := range strings.Split(x.code, "\n")[:min(max(line-1, 0), strings.Count(x.code, "\n"))] {
		at += runes(l) + 1
	}
	return x.places.at(at + max(col-1, 0))
}

// maxFaults is how many faults are listed: a hostile file could have one per byte.
const maxFaults = 500

func (s *sheet) fault(severity, rule string, at pos, hint, format string, args ...any) {
	switch {
	case len(s.faults) > maxFaults:
		return
	case len(s.faults) == maxFaults:
		severity, rule, hint = diag.Error, "budget", "mend these first"
		format, args = "more than %d faults; the others are not listed", []any{maxFaults}
	}
	at = s.inside(at)
	s.faults = append(s.faults, diag.Fault{
		File: s.file, Line: at.line, Column: at.col, Rule: rule, Severity: severity,
		Message: fmt.Sprintf(format, args...), Hint: hint,
	})
}

// inside keeps a place within the file: the parser puts what is missing behind its end.
func (s *sheet) inside(at pos) pos {
	if at.line > len(s.lines) {
		at = pos{len(s.lines), maxLine}
	}
	at.line = max(at.line, 1)
	at.col = min(max(at.col, 1), runes(s.lines[at.line-1])+1)
	return at
}

func (s *sheet) err(rule string, at pos, hint, format string, args ...any) {
	s.fault(diag.Error, rule, at, hint, format, args...)
}

func (s *sheet) warn(rule string, at pos, hint, format string, args ...any) {
	s.fault(diag.Warning, rule, at, hint, format, args...)
}

func place(n *yaml.Node) pos { return pos{n.Line, n.Column} }

// guess is a hint with the word that was probably meant and the words that are allowed.
func guess(word string, known []string) string {
	hint := ""
	if g := diag.Guess(word, known); g != "" {
		hint = fmt.Sprintf("did you mean %q? ", g)
	}
	if len(known) > 0 && len(known) <= 24 {
		hint += "allowed: " + strings.Join(known, ", ")
	}
	return strings.TrimSpace(hint)
}

// place of a key's value, or of the step itself.
func (n *node) key(name string) pos {
	if p, ok := n.keys[name]; ok {
		return p
	}
	return n.at
}

// up yields a node and its parents, innermost first.
func (n *node) up() []*node {
	var out []*node
	for ; n != nil; n = n.parent {
		out = append(out, n)
	}
	return out
}

// signed is the nearest step or group with a sign-off that holds n, or nil.
func (n *node) signed() *node {
	for _, x := range n.up() {
		if x.step.Signoff != nil {
			return x
		}
	}
	return nil
}

func (n *node) within(group *node) bool {
	for _, x := range n.up() {
		if x == group {
			return true
		}
	}
	return false
}
