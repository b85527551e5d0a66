package rehearse

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

// Shown is one moment in which people are asked, as they would see it.
type Shown struct {
	Step     string         `json:"step"` // path
	View     *signoff.View  `json:"view,omitempty"`
	Question *wire.Question `json:"question,omitempty"`
	Answers  []string       `json:"answers,omitempty"` // that led here, as triage=abuse
}

// Previewed is everything that people would be asked for one alert.
type Previewed struct {
	Shown   []Shown  `json:"shown"`
	Outcome string   `json:"outcome"` // where everybody approves and nobody answers
	Unseen  []string `json:"unseen"`  // sign-offs that this alert never leads to, with their place
}

// mostPlays bounds the answers that a preview tries.
const mostPlays = 32

// Preview plays a playbook for one alert with the examples of the cards. Whoever is needed approves; every choice of every
// question is taken once, so that what lies behind it is seen, too.
func Preview(p *playbooks.Program, cards playbooks.Catalog, policy signoff.Policy, a Alert) (Previewed, error) {
	out := Previewed{Shown: []Shown{}, Unseen: []string{}}
	seen := map[string]bool{}
	todo := []map[string]string{{}}
	for n := 0; n < len(todo) && n < mostPlays; n++ {
		shown, got, err := preview(p, cards, policy, a, todo[n])
		if err != nil {
			return out, err
		}
		if n == 0 {
			out.Outcome = got.outcome
		}
		for _, s := range shown {
			if seen[s.Step] {
				continue
			}
			seen[s.Step] = true
			s.Answers = sorted(todo[n])
			out.Shown = append(out.Shown, s)
			if s.Question == nil || s.Question.Kind != "ask" {
				continue
			}
			for _, c := range s.Question.Choices {
				if c != s.Question.Otherwise {
					next := maps.Clone(todo[n])
					next[s.Step] = c
					todo = append(todo, next)
				}
			}
		}
	}
	for at := range playbooks.Steps(p) {
		if at.Step.Signoff != nil && !seenAt(seen, at.Path) {
			out.Unseen = append(out.Unseen, fmt.Sprintf("%s (line %d)", at.Path, at.Step.Line))
		}
	}
	return out, nil
}

func seenAt(seen map[string]bool, path string) bool {
	for s := range seen {
		if plainPath(s) == path {
			return true
		}
	}
	return false
}

func sorted(answers map[string]string) []string {
	var out []string
	for _, step := range slices.Sorted(maps.Keys(answers)) {
		out = append(out, step+"="+answers[step])
	}
	return out
}

func preview(p *playbooks.Program, cards playbooks.Catalog, policy signoff.Policy, a Alert, answers map[string]string) (shown []Shown, got played, err error) {
	c := &Case{now: a.ReceivedAt, mode: incident.ModeEnforce, people: map[string][]string{}, alert: a, anybody: true}
	s, err := newStage(c, p, cards, policy)
	if err != nil {
		return nil, got, err
	}
	s.onAsk = func(asked asking) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if asked.request != nil {
			v := asked.request.view
			shown = append(shown, Shown{Step: asked.step, View: &v})
			for i, m := range approvers(v) {
				s.env.RegisterDelayedCallback(func() { s.act(m, asked) }, time.Duration(i+1)*time.Second)
			}
			return
		}
		shown = append(shown, Shown{Step: asked.step, Question: asked.question})
		if answer, ok := answers[asked.step]; ok {
			m := &move{by: "somebody", groups: []string{asked.question.From}, answer: answer}
			s.env.RegisterDelayedCallback(func() { s.act(m, asked) }, time.Second)
		}
	}
	got = s.playProgram(30 * time.Second)
	switch {
	case !got.starts:
		return nil, got, errors.New("the alert does not start this playbook; see: tourniquet playbook explain --alert FILE")
	case got.broken != "":
		return nil, got, fmt.Errorf("the playbook could not be played to its end: %s", got.broken)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return shown, got, nil
}

// approvers are as many people as a request needs, each with a seat of their own.
func approvers(v signoff.View) []*move {
	var out []*move
	for _, seat := range v.Envelope.Rule.Seats {
		for n := range seat.Count {
			m := &move{decides: true, verb: signoff.Approve, by: fmt.Sprintf("%s %d", strings.TrimSpace(seat.Group+" "+seat.Else), n+1), groups: []string{seat.Group + seat.Else}}
			if seat.Person != "" && !slices.Contains(v.Envelope.Rule.Excluded, seat.Person) {
				m.by, m.groups = seat.Person, []string{}
			}
			out = append(out, m)
		}
	}
	return out
}
