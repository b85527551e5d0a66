package playbooks

import "go.yaml.in/yaml/v3"

func (s *sheet) readEnd(x *node, n *yaml.Node) {
	end, _ := s.clause(StepClause(KindEnd)).Key("end")
	x.step.End = s.oneOf(n, "end", end.Enum)
}
