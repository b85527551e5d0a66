package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"go.temporal.io/sdk/client"

	"github.com/tourniquet-ir/tourniquet/internal/cards"
	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/people"
	"github.com/tourniquet-ir/tourniquet/internal/seal"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
)

// answerWithin keeps every tap under the three seconds that Slack waits.
const answerWithin = 2 * time.Second

// Options of a gateway.
type Options struct {
	DB       *database.DB
	People   *people.Directory
	Signer   *seal.Signer
	Temporal client.Client
	Cards    *cards.Board
	World    string // envelopes of another world are refused
	Log      *slog.Logger
	Now      func() time.Time
}

// Gateway turns acts into decisions.
type Gateway struct {
	Options
	late sync.WaitGroup
}

// New is a gateway.
func New(o Options) *Gateway { return &Gateway{Options: o} }

// Wait returns when no decision is on its way any more.
func (g *Gateway) Wait() { g.late.Wait() }

// Act is what a person did on some surface. Answer is set for questions, otherwise Verb is approve or reject.
type Act struct {
	Person, Surface, Request, Verb, Digest, Reason, Answer string
}

// Reply is what the person is told.
type Reply struct {
	Text     string
	Accepted bool
	Code     string
}

// Do records, signs and delivers one act.
func (g *Gateway) Do(ctx context.Context, a Act) Reply {
	if a.Verb == wire.VerbAnswer {
		return g.answer(ctx, a)
	}
	view, err := g.DB.Request(ctx, a.Request)
	if err != nil {
		return refused(signoff.ClosedCode, fmt.Sprintf("there is no request %q here", a.Request))
	}
	if view.Envelope.World != g.World {
		return g.refuse(ctx, a, signoff.WrongRequest, fmt.Sprintf("this request belongs to a %s, not to this installation's world (%s)", view.Envelope.World, g.World))
	}
	d, ref := g.sign(ctx, a, view.Envelope.Rule.Groups())
	if ref != nil {
		return g.refuse(ctx, a, ref.Code, ref.Why)
	}
	if ref := signoff.Accept(view.Request, view.Envelope, view.Digest, view.State, view.Decided, d, g.Now()); ref != nil {
		return g.refuse(ctx, a, ref.Code, ref.Why)
	}
	if err := g.attempt(ctx, a, true, "", "sent to the run", d); err != nil {
		return refused("unavailable", "your decision could not be written down, so it does not count; try again")
	}
	return g.deliver(ctx, a, view.Envelope.WorkflowID, wire.UpdateDecide, wire.Decide{Request: a.Request, Decision: d}, d)
}

// answer is the same road for a question.
func (g *Gateway) answer(ctx context.Context, a Act) Reply {
	q, err := g.DB.Question(ctx, a.Request)
	if err != nil || q.Answered() {
		return refused(signoff.ClosedCode, "this question is no longer open")
	}
	run, err := g.DB.Run(ctx, q.Run)
	if err != nil {
		return refused("unavailable", "the run of this question could not be read; try again")
	}
	a.Digest = wire.QuestionDigest(wire.Question{ID: q.ID, Prompt: q.Prompt, Choices: q.Choices})
	a.Reason = a.Answer
	d, ref := g.sign(ctx, a, []string{q.From})
	if ref == nil && len(d.Groups) == 0 {
		ref = &signoff.Refusal{Code: signoff.NotEligible, Why: fmt.Sprintf("only members of %q may answer this", q.From)}
	}
	if ref != nil {
		return g.refuse(ctx, a, ref.Code, ref.Why)
	}
	if err := g.attempt(ctx, a, true, "", "sent to the run", d); err != nil {
		return refused("unavailable", "your answer could not be written down, so it does not count; try again")
	}
	return g.deliver(ctx, a, WorkflowID(run), wire.UpdateAnswer, wire.Answer{Question: q.ID, Decision: d}, d)
}

// WorkflowID of a run: the incident's id, with a number from the second run on.
func WorkflowID(r incident.Run) string {
	if r.Number <= 1 {
		return r.Incident
	}
	return fmt.Sprintf("%s/%d", r.Incident, r.Number)
}

// sign maps the person, looks at groups now, and signs what was seen.
func (g *Gateway) sign(ctx context.Context, a Act, groups []string) (signoff.Decision, *signoff.Refusal) {
	p, ok := g.People.Person(a.Person)
	if !ok {
		return signoff.Decision{}, &signoff.Refusal{Code: signoff.NotEligible, Why: "you are not listed under people in the configuration"}
	}
	why, err := g.People.MayDecide(ctx, p.ID)
	if err == nil && why != "" {
		return signoff.Decision{}, &signoff.Refusal{Code: signoff.NotEligible, Why: "you may not decide: this account " + why}
	}
	var in []string
	var seen time.Time
	if err == nil {
		in, seen, err = g.People.Groups(ctx, p.ID, groups)
	}
	if err != nil {
		g.Log.Error("groups could not be read for a decision", "person", p.ID, "error", err)
		return signoff.Decision{}, &signoff.Refusal{Code: "unavailable", Why: "who you are could not be checked just now; nothing was decided, try again"}
	}
	now := g.Now().UTC().Truncate(time.Microsecond)
	seen = seen.UTC().Truncate(time.Microsecond)
	if seen.After(now) {
		seen = now
	}
	d, err := signoff.Sign(signoff.Decision{
		Request: a.Request, Digest: a.Digest, Person: p.ID, Name: p.Name, Verb: a.Verb, Reason: a.Reason,
		Groups: in, SeenAt: seen, At: now, Surface: a.Surface,
	}, g.Signer.ID, g.Signer.Private)
	if err != nil {
		g.Log.Error("a decision could not be signed", "error", err)
		return signoff.Decision{}, &signoff.Refusal{Code: "unavailable", Why: "your decision could not be signed; nothing was decided"}
	}
	return d, nil
}

// refuse commits a refused attempt before it is said.
func (g *Gateway) refuse(ctx context.Context, a Act, code, why string) Reply {
	if err := g.attempt(ctx, a, false, code, why, signoff.Decision{}); err != nil {
		g.Log.Error("a refused attempt could not be written down", "request", a.Request, "error", err)
	}
	return refused(code, why)
}

func (g *Gateway) attempt(ctx context.Context, a Act, accepted bool, code, why string, d signoff.Decision) error {
	var raw json.RawMessage
	if d.Sig != "" {
		body, err := json.Marshal(d)
		if err != nil {
			return err
		}
		raw = body
	}
	return g.DB.RecordAttempt(ctx, database.Attempt{
		Request: a.Request, Person: a.Person, Verb: a.Verb, Surface: a.Surface, Accepted: accepted, Code: code, Why: why, At: g.Now(), Decision: raw,
	})
}

func refused(code, why string) Reply { return Reply{Text: why, Code: code} }
