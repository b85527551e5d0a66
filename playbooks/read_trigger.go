package playbooks

import "go.yaml.in/yaml/v3"

// maxPriority bounds trigger.priority; 0 is what a trigger has that names none.
const maxPriority = 100

func (s *sheet) readTrigger(n *yaml.Node) {
	for _, e := range s.keysOf(n, "trigger") {
		switch e.name {
		case "if":
			s.p.Trigger = s.condition(e.val, "trigger.if", nil)
		case "priority":
			s.p.Priority = s.number(e.val, "priority", 0, maxPriority)
		}
	}
}
