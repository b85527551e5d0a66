package playbooks

import (
	"strings"

	"go.yaml.in/yaml/v3"
)

// Words that ids are made of.
const (
	kebab = `^[a-z][a-z0-9]*(-[a-z0-9]+)*$`
	snake = `^[a-z][a-z0-9]*(_[a-z0-9]+)*$`
)

func topKeys() []string {
	return strings.Fields("schema id title description owner tags trigger needs_key inputs vars steps on_failure finally")
}

// readTop reads the whole document into the sheet.
func (s *sheet) readTop(root *yaml.Node) {
	s.p.NeedsKey = true
	var sections []entry
	for _, e := range s.entries(root, "a playbook", topKeys()) {
		s.keys[e.name] = e.at
		switch e.name {
		case "schema":
			s.oneOf(e.val, "schema", []string{"tourniquet/v1"})
		case "id":
			s.p.ID = s.word(e.val, "id")
			s.ruleID(s.p.ID, place(e.val), kebab, "a playbook id is kebab-case, as leaked-key")
		case "title":
			s.p.Title = s.word(e.val, "title")
		case "description":
			s.word(e.val, "description")
		case "owner":
			s.p.Owner = s.word(e.val, "owner")
		case "tags":
			for _, t := range s.items(e.val, "tags") {
				s.p.Tags = append(s.p.Tags, s.word(t, "a tag"))
			}
		case "trigger":
			s.readTrigger(e.val)
		case "needs_key":
			s.p.NeedsKey = s.boolean(e.val, "needs_key")
		case "inputs":
			s.readInputs(e.val)
		case "vars":
			s.readVars(e.val)
		default:
			sections = append(sections, e)
		}
	}
	s.required()
	for _, name := range []string{SectionSteps, SectionOnFailure, SectionFinally} {
		for _, e := range sections {
			if e.name == name {
				s.top[name] = s.readSteps(e.val, name, nil)
			}
		}
	}
}

// maxPriority bounds trigger.priority; 0 is what a trigger has that names none.
const maxPriority = 100

func (s *sheet) readTrigger(n *yaml.Node) {
	for _, t := range s.entries(n, "trigger", []string{"if", "priority"}) {
		switch t.name {
		case "if":
			s.p.Trigger = s.condition(t.val, "trigger.if", nil)
		case "priority":
			s.p.Priority = s.number(t.val, "priority", 0, maxPriority)
		}
	}
}

func (s *sheet) required() {
	for _, k := range []string{"schema", "id", "title", "steps"} {
		if _, ok := s.keys[k]; !ok {
			s.err("missing-key", pos{1, 1}, "", "a playbook needs the key %q", k)
		}
	}
	if at, ok := s.keys["trigger"]; ok && s.keys["inputs"] != (pos{}) {
		s.err("shape", at, "inputs are for playbooks that are run by hand or by another playbook", "a playbook has a trigger or inputs, not both")
	}
}

func (s *sheet) readInputs(n *yaml.Node) {
	kinds := []string{TypeString, TypeInt, TypeFloat, TypeBool, TypeTime, TypeDuration, TypeKey, TypeDepend, TypeStrings, TypeAny}
	for _, e := range s.entries(n, "inputs", nil) {
		s.ruleID(e.name, e.at, snake, "an input is snake_case")
		f := Field{Name: e.name, Type: TypeString}
		for _, k := range s.entries(e.val, "an input", []string{"type", "required", "doc"}) {
			switch k.name {
			case "type":
				f.Type = s.oneOf(k.val, "type", kinds)
			case "required":
				f.Required = s.boolean(k.val, "required")
			case "doc":
				f.Doc = s.word(k.val, "doc")
			}
		}
		s.p.Inputs = append(s.p.Inputs, f)
	}
}

func (s *sheet) readVars(n *yaml.Node) {
	for _, e := range s.entries(n, "vars", nil) {
		s.ruleID(e.name, e.at, snake, "a var is snake_case")
		s.p.Vars = append(s.p.Vars, Binding{e.name, s.value(e.val, "vars."+e.name, nil)})
	}
}

// condition reads a bare expression that must be true or false.
func (s *sheet) condition(n *yaml.Node, key string, in *node) string {
	if !s.ruleCondition(n, key) {
		return ""
	}
	at := place(n)
	if n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 {
		at.col++
	}
	code := strings.TrimSpace(n.Value)
	s.sites = append(s.sites, &site{code: code, at: at, key: key, want: TypeBool, in: in})
	return code
}
