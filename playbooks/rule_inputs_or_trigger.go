package playbooks

// ruleInputsOrTrigger: nobody is there to give inputs when an alert starts the run.
func (s *sheet) ruleInputsOrTrigger() {
	at, trigger := s.keys["trigger"]
	if _, inputs := s.keys["inputs"]; trigger && inputs {
		s.err("inputs-or-trigger", at, "inputs are for playbooks that are run by hand or by another playbook", "a playbook has a trigger or inputs, not both")
	}
}
