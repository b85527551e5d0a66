package playbooks

import (
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

func (s *sheet) readEscalation(item *yaml.Node) Escalation {
	var out Escalation
	var adds pos
	for _, e := range s.keysOf(item, "escalation") {
		switch e.name {
		case "after":
			if usd, ok := strings.CutSuffix(e.val.Value, " USD"); ok {
				out.AfterUSD = int64(s.dollars(e.val, usd))
				continue
			}
			out.After = s.duration(e.val, "after")
		case "to":
			out.To = s.word(e.val, "to")
			s.ruleGroup(out.To, place(e.val))
		case "adds":
			out.Adds, adds = s.boolean(e.val, "adds"), place(e.val)
		}
	}
	s.ruleEscalation(out, adds)
	return out
}

func (s *sheet) dollars(n *yaml.Node, text string) int {
	const most = 999_999_999
	usd, err := strconv.Atoi(text)
	if err != nil || usd < 1 || usd > most {
		s.err("shape", place(n), "as 500 USD", "an amount is a whole number of dollars from 1 to %d", most)
		return 1
	}
	return usd
}
