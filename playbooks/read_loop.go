package playbooks

func (s *sheet) readLoop(x *node, e entry) {
	if x.step.Loop == nil {
		x.step.Loop = &Loop{AtOnce: 1}
	}
	l := x.step.Loop
	switch e.name {
	case "for_each":
		l.Over = s.value(e.val, "for_each", x)
	case "as":
		l.As = s.word(e.val, "as")
		s.ruleLoopName(x, place(e.val))
	case "at_once":
		l.AtOnce = s.number(e.val, "at_once", 1, 50)
	}
}
