package rehearse

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

// Point is one thing that a test can reach: a step, or one arm of a branch.
type Point struct {
	Step   string `json:"step"` // path; empty for the trigger
	Line   int    `json:"line"` // in the playbook, or in the sub-playbook that is named
	In     string `json:"in,omitempty"`
	What   string `json:"what"`
	Branch bool   `json:"branch"`
}

// What a point says.
const (
	saysReached  = "the step runs"
	saysTrue     = "its condition holds"
	saysFalse    = "its condition does not hold"
	saysStarts   = "the trigger holds"
	saysNot      = "the trigger does not hold"
	saysApproved = "its sign-off is approved"
	saysRejected = "its sign-off is rejected"
	saysExpired  = "its sign-off runs out of time"
	saysNobody   = "nobody answers in time"
	saysFilled   = "its form is filled"
	saysFailed   = "it fails and the run goes on"
	saysFatal    = "it fails and the run ends"
)

func saysChoice(c string) string { return "somebody answers " + strconv.Quote(c) }

// points are everything that tests of a playbook can reach.
func points(p *playbooks.Program) []Point {
	var out []Point
	if p.Trigger != "" {
		out = append(out, Point{What: saysStarts, Line: 1, Branch: true}, Point{What: saysNot, Line: 1, Branch: true})
	}
	for at := range playbooks.Steps(p) {
		base := Point{Step: at.Path, Line: at.Step.Line}
		if at.Program != p {
			base.In = at.Program.ID
		}
		add := func(branch bool, what string) {
			base.Branch, base.What = branch, what
			out = append(out, base)
		}
		add(false, saysReached)
		for _, what := range branches(at.Step) {
			add(true, what)
		}
	}
	return out
}

func branches(st *playbooks.Step) []string {
	var out []string
	if st.If != "" {
		out = append(out, saysTrue, saysFalse)
	}
	if st.Signoff != nil {
		out = append(out, saysApproved, saysRejected, saysExpired)
	}
	if st.Ask != nil {
		for _, c := range st.Ask.Choices {
			out = append(out, saysChoice(c))
		}
		if len(st.Ask.Form) > 0 {
			out = append(out, saysFilled)
		}
		out = append(out, saysNobody)
	}
	if st.Action != nil {
		switch st.Action.OnError {
		case playbooks.OnErrorContinue:
			out = append(out, saysFailed)
		case playbooks.OnErrorStop:
			out = append(out, saysFatal)
		}
	}
	return out
}

// hits are what was reached, by step and words.
type hits map[[2]string]bool

func (h hits) hit(path, what string) { h[[2]string{plainPath(path), what}] = true }

// reached reads one run: what was called, asked and written down.
func (h hits) reached(got played, p *playbooks.Program) {
	if !got.starts {
		h.hit("", saysNot)
		return
	}
	h.hit("", saysStarts)
	s := got.stage
	for _, c := range s.calls {
		h.hit(c.step, saysReached)
		h.hit(c.step, saysTrue)
	}
	for path := range s.askedAt {
		h.hit(path, saysTrue)
	}
	known := stepsOf(p)
	for _, b := range s.batches {
		for _, st := range b.Steps {
			h.status(known.byPath[plainPath(st.Path)].Step, st.Path, st.Status)
		}
	}
	for _, e := range s.events() {
		h.event(known, e.Kind, e.Step, e.Body)
	}
}

func (h hits) status(st *playbooks.Step, path, status string) {
	switch {
	case st == nil, status == "running":
		return
	case status == "skipped":
		h.hit(path, saysFalse)
		return
	case status == "declined", status == "planned":
		h.hit(path, saysTrue)
		return
	}
	h.hit(path, saysTrue)
	if st.Action == nil && (status == "done" || status == "failed") || status == "stopped" && (st.Ask != nil || st.Kind == playbooks.KindWait) {
		h.hit(path, saysReached)
	}
	if st.Action != nil && status == "failed" {
		h.hit(path, saysFailed)
		h.hit(path, saysFatal)
	}
}

func (h hits) event(known steps, kind, path string, raw json.RawMessage) {
	switch kind {
	case "signoff.executing":
		h.hit(path, saysApproved)
	case "signoff.rejected":
		h.hit(path, saysRejected)
	case "signoff.expired":
		h.hit(path, saysExpired)
	case "question.asked":
		h.hit(path, saysReached)
	case "question.settled":
		st := known.byPath[plainPath(path)].Step
		var body struct{ Answer, By string }
		if st == nil || st.Ask == nil || json.Unmarshal(raw, &body) != nil {
			return
		}
		switch {
		case strings.HasPrefix(body.By, "nobody"):
			h.hit(path, saysNobody)
		case len(st.Ask.Form) > 0:
			h.hit(path, saysFilled)
		default:
			h.hit(path, saysChoice(body.Answer))
		}
	}
}

// groups that hold a reached step are reached, too.
func (h hits) raise(p *playbooks.Program) {
	for at := range playbooks.Steps(p) {
		if !h[[2]string{at.Path, saysReached}] {
			continue
		}
		path := at.Path
		for i := strings.LastIndexByte(path, '/'); i > 0; i = strings.LastIndexByte(path, '/') {
			path = path[:i]
			h.hit(path, saysReached)
			h.hit(path, saysTrue)
		}
	}
}

// Coverage is what the tests of one playbook reached.
type Coverage struct {
	Steps           int     `json:"steps"`
	StepsReached    int     `json:"steps_reached"`
	Branches        int     `json:"branches"`
	BranchesReached int     `json:"branches_reached"`
	Missing         []Point `json:"missing"`
}

func (h hits) coverage(p *playbooks.Program) Coverage {
	h.raise(p)
	c := Coverage{Missing: []Point{}}
	for _, pt := range points(p) {
		got := h[[2]string{pt.Step, pt.What}]
		all, reached := &c.Steps, &c.StepsReached
		if pt.Branch {
			all, reached = &c.Branches, &c.BranchesReached
		}
		*all++
		if got {
			*reached++
		} else {
			c.Missing = append(c.Missing, pt)
		}
	}
	return c
}

// Percent is rounded down, so that 100 means all.
func (c Coverage) Percent() int {
	all := c.Steps + c.Branches
	if all == 0 {
		return 100
	}
	return (c.StepsReached + c.BranchesReached) * 100 / all
}

func (c Coverage) String() string {
	return fmt.Sprintf("%d of %d steps and %d of %d branches reached", c.StepsReached, c.Steps, c.BranchesReached, c.Branches)
}

// counts keeps runs that only show from counting: nothing was done in them.
func counts(c *Case) bool { return c.mode == incident.ModeEnforce }
