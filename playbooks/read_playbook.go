package playbooks

import "go.yaml.in/yaml/v3"

// Forms of ids.
const (
	kebab = "kebab"
	snake = "snake"
)

// readTop reads the whole document into the sheet. Sections come last, in the order in which they run, wherever they
// stand in the file.
func (s *sheet) readTop(root *yaml.Node) {
	s.p.NeedsKey = true
	sections := map[string]*yaml.Node{}
	for _, e := range s.keysOf(root, "playbook") {
		s.keys[e.name] = e.at
		switch e.name {
		case "id":
			s.p.ID = s.word(e.val, "id")
			s.ruleID(s.p.ID, place(e.val), kebab, "a playbook id is kebab-case, as leaked-key")
		case "trigger":
			s.readTrigger(e.val)
		case "needs_key":
			s.p.NeedsKey = s.boolean(e.val, "needs_key")
		case "inputs":
			s.readInputs(e.val)
		case "vars":
			s.readVars(e.val)
		case SectionSteps, SectionOnFailure, SectionFinally:
			sections[e.name] = e.val
		default:
			s.readHead(e)
		}
	}
	s.ruleInputsOrTrigger()
	for _, name := range []string{SectionSteps, SectionOnFailure, SectionFinally} {
		if n := sections[name]; n != nil {
			s.top[name] = s.readSteps(n, name, nil)
		}
	}
}

// readHead reads what only people read.
func (s *sheet) readHead(e entry) {
	switch e.name {
	case "schema":
		s.oneOf(e.val, "schema", []string{"tourniquet/v1"})
	case "title":
		s.p.Title = s.word(e.val, "title")
	case "description":
		s.p.Description = s.word(e.val, "description")
	case "owner":
		s.p.Owner = s.word(e.val, "owner")
	case "tags":
		for _, t := range s.items(e.val, "tags") {
			s.p.Tags = append(s.p.Tags, s.word(t, "a tag"))
		}
	}
}
