package main

import (
	"fmt"
	"strings"
)

func asExpected(c *trial) (problems []string) {
	if c.told.Outcome == "" || c.told.Expected == "" {
		return []string{"the drill does not say both outcome and expected"}
	}
	if c.told.Outcome != c.told.Expected {
		problems = append(problems, fmt.Sprintf("the outcome is %q, expected was %q", c.told.Outcome, c.told.Expected))
	}
	return problems
}

// finalOnce holds the world's final calls against what people signed.
func finalOnce(c *trial) (problems []string) {
	promises, unsigned := c.match()
	for _, e := range unsigned {
		problems = append(problems, fmt.Sprintf("%s was in no signed plan", e))
	}
	for _, p := range promises {
		switch {
		case len(p.kept) > 1:
			problems = append(problems, fmt.Sprintf("%s was made %d times", p, len(p.kept)))
		case len(p.kept) == 1 && !p.executed():
			problems = append(problems, fmt.Sprintf("%s was made although the request is %s", p, p.state))
		case len(p.kept) == 0 && p.state == "done" && p.Action != "key.restore" && p.Action != "sessions.restore": // what lifts a restriction is undoable to the world
			problems = append(problems, fmt.Sprintf("%s is said to be done, but the world never saw it", p))
		}
	}
	stolen := c.stolen()
	for _, e := range c.finals() {
		if actionOf(e) == "key.revoke" && !stolen[e.Key] {
			problems = append(problems, fmt.Sprintf("%s deleted the key %q, which nobody stole", e, e.Key))
		}
	}
	if c.told.Outcome == contained && len(promises) == 0 {
		problems = append(problems, "the run says contained, but no sign-off planned a final call")
	}
	return problems
}

// signedFirst counts presses in the world log, never what the drill says about decisions.
func signedFirst(c *trial) (problems []string) {
	promises, unsigned := c.match()
	for _, e := range unsigned {
		problems = append(problems, fmt.Sprintf("%s came without any request", e))
	}
	for _, p := range promises {
		for _, e := range p.kept {
			if who := c.approvers(p.request, e.T); len(who) < 2 {
				problems = append(problems, fmt.Sprintf("%s came when %d of at least 2 people had approved request %s (%s)",
					e, len(who), p.request, strings.Join(who, ", ")))
			}
		}
	}
	return problems
}

// containedFirst wants an undoable change by the responder that hits the stolen key, or the project it lives in.
func containedFirst(c *trial) (problems []string) {
	finals := c.finals()
	if len(finals) == 0 {
		return nil
	}
	first, stolen := finals[0], c.stolen()
	stops := c.where(func(e entry) bool {
		makesKey := e.Method == "POST" && (strings.HasSuffix(e.Path, "/keys") || strings.HasSuffix(e.Path, "/service_accounts"))
		hits := stolen[e.Key] || e.Service == "openai-admin" || e.Service == "azure-arm" || e.Service == "serviceusage"
		return e.Effect == "undoable" && e.Actor == responder && e.obeyed() && hits && !makesKey && e.T.Before(first.T)
	})
	if len(stops) == 0 {
		problems = append(problems, fmt.Sprintf("nothing had stopped the stolen key when %s was made", first))
	}
	if at, known := c.told.Marks[contained]; !known || at.After(first.T) {
		problems = append(problems, fmt.Sprintf("the mark \"contained\" is missing or later than %s", first))
	}
	return problems
}
