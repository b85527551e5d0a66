package playbooks

// Worst-case history events. An action that polls costs as much as one that does not.
const (
	maxEvents    = 10_000
	eventsAction = 11
	eventsAsk    = 40
	eventsWait   = 5
	eventsItems  = 100 // items that a loop is counted with
	eventsSigned = 60
)

// ruleEvents: a run is one history, and a history has a limit.
func ruleEvents(s *sheet) {
	total := 0
	var last *node
	for _, section := range []string{SectionSteps, SectionOnFailure, SectionFinally} {
		for _, n := range s.top[section] {
			total += events(n)
			if total > maxEvents && last == nil {
				last = n
			}
		}
	}
	if last != nil {
		s.err("events", last.at, "split the playbook, or loop over less", "the run could need %d history events with %d items per loop; at most %d are possible", min(total, 1_000_000_000), eventsItems, maxEvents)
	}
}

func events(n *node) int {
	sum := 0
	for _, k := range n.kids {
		sum += events(k)
	}
	return stepEvents(&n.step, sum)
}

func stepEvents(st *Step, inner int) int {
	sum := inner
	switch st.Kind {
	case KindAction:
		sum += eventsAction
	case KindAsk:
		sum += eventsAsk
	case KindWait:
		sum += eventsWait
	case KindLoop:
		sum *= eventsItems
	case KindPlaybook:
		if st.Sub != nil {
			sum += programEvents(st.Sub.Steps) + programEvents(st.Sub.OnFailure) + programEvents(st.Sub.Finally)
		}
	}
	if st.Signoff != nil {
		sum += eventsSigned
	}
	return min(sum, 10*maxEvents)
}

func programEvents(steps []Step) int {
	sum := 0
	for i := range steps {
		sum += stepEvents(&steps[i], programEvents(steps[i].Steps))
	}
	return min(sum, 10*maxEvents)
}
