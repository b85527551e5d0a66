package rehearse

import (
	"errors"
	"fmt"
	"strings"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
)

// surface is what decisions say they came from.
const surface = "playbook test"

// accepted is what a move got that counts; anything else is the code of its refusal.
const accepted = "accepted"

// schedule lets the people who wait for this moment act.
func (s *stage) schedule(a asking) {
	for _, m := range s.c.moves {
		if m.decides == (a.request != nil) && a.nth[m.step] == m.nth {
			s.env.RegisterDelayedCallback(func() { s.act(m, a) }, m.after)
		}
	}
}

// act signs as the gateway does and sends the update that the gateway sends.
func (s *stage) act(m *move, a asking) {
	if a.request != nil {
		v := a.request.view
		d := signoff.Decision{Request: v.Request, Digest: v.Digest, Verb: m.verb}
		if m.verb == signoff.Reject {
			d.Reason = m.reason
		}
		if m.stale {
			d.Digest = "sha256:" + strings.Repeat("0", 64)
		}
		s.send(wire.UpdateDecide, m, d, func(d signoff.Decision) any { return wire.Decide{Request: v.Request, Decision: d} })
		return
	}
	q := *a.question
	d := signoff.Decision{Request: q.ID, Digest: wire.QuestionDigest(q), Verb: wire.VerbAnswer, Reason: m.answer}
	s.send(wire.UpdateAnswer, m, d, func(d signoff.Decision) any { return wire.Answer{Question: q.ID, Decision: d} })
}

func (s *stage) send(name string, m *move, d signoff.Decision, wrap func(signoff.Decision) any) {
	now, groups := s.env.Now(), m.groups
	if groups == nil {
		groups = s.c.people[m.by]
	}
	d.Person, d.Name, d.Groups, d.SeenAt, d.At, d.Surface = m.by, m.by, groups, now, now, surface
	signed, err := signoff.Sign(d, keyID, s.priv)
	if err != nil {
		m.got, m.why = "unsigned", err.Error()
		return
	}
	s.env.UpdateWorkflow(name, fmt.Sprintf("%s/%p", name, m), &testsuite.TestUpdateCallback{
		OnAccept:   func() {},
		OnReject:   func(err error) { m.got, m.why = codeOf(err) },
		OnComplete: func(v any, err error) { m.got, m.why = answered(v, err) },
	}, wrap(signed))
}

func answered(v any, err error) (code, why string) {
	reply, ok := v.(wire.Reply)
	switch {
	case err != nil:
		return codeOf(err)
	case ok && !reply.Accepted:
		return reply.Code, reply.Why
	}
	return accepted, ""
}

func codeOf(err error) (code, why string) {
	var app *temporal.ApplicationError
	if errors.As(err, &app) {
		return app.Type(), app.Message()
	}
	return "failed", err.Error()
}

// late answers the moves that came after the run had ended, in the words of the gateway, which looks at the request as
// it was left. A request that ran out of time is closed everywhere; a test may say expired.
func (s *stage) late() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.c.moves {
		step := s.asked[m.step]
		if step == 0 {
			step = s.asked["id:"+m.step]
		}
		switch {
		case m.got == "" && step >= m.nth:
			m.got, m.why = signoff.ClosedCode, "the run had ended"
		case m.got == "":
			m.got, m.why = "never asked", "the step never asked"
			if step > 0 {
				m.why = fmt.Sprintf("the step asked %d times", step)
			}
		}
		if m.got == signoff.ClosedCode && m.refused == signoff.ExpiredCode && s.ranOut(m) {
			m.got = signoff.ExpiredCode
		}
	}
}

// ranOut reports whether the request or question that a move was for ended because nobody decided in time.
func (s *stage) ranOut(m *move) bool {
	for _, e := range s.events() {
		if e.Kind == "signoff.expired" && (e.Step == m.step || idOf(e.Step) == m.step) {
			return true
		}
	}
	return false
}
