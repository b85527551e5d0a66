package gateway

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"go.temporal.io/sdk/client"

	"github.com/tourniquet-ir/tourniquet/integrations/chat"
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
	Chat     chat.Chat // tells people how a press ended that could not be counted at once; nil: nobody is told
	World    string    // envelopes of another world are refused
	Log      *slog.Logger
	Now      func() time.Time
}

// Gateway turns acts into decisions.
type Gateway struct {
	Options
	life context.Context // ends with Close; decisions on their way are offered again after the next start
	end  context.CancelFunc
	late sync.WaitGroup

	offered sync.Map // signatures of decisions that this gateway has offered to their run
}

// New is a gateway. It needs Close.
func New(o Options) *Gateway {
	g := &Gateway{Options: o}
	g.life, g.end = context.WithCancel(context.Background())
	return g
}

// Wait returns when no decision is on its way any more.
func (g *Gateway) Wait() { g.late.Wait() }

// Close stops offering decisions; they are written down, and Resume offers them again.
func (g *Gateway) Close() {
	g.end()
	g.late.Wait()
}

// lasting is a context for work that outlives the request which asked for it, but not the gateway.
func (g *Gateway) lasting(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(g.life, cancel)
	return ctx, func() { stop(); cancel() }
}

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
		return g.unread(ctx, a, err)
	}
	if view.Envelope.World != g.World {
		return g.refuse(ctx, a, signoff.WrongRequest, fmt.Sprintf("this request belongs to a %s, not to this installation's world (%s)", view.Envelope.World, g.World))
	}
	d, ref := g.sign(ctx, a, view.Envelope.Rule.Groups(), slices.Collect(maps.Keys(view.Envelope.PublicKeys)))
	if ref != nil {
		return g.refuse(ctx, a, ref.Code, ref.Why)
	}
	if ref := signoff.Accept(view.Request, view.Envelope, view.Digest, view.State, view.Decided, d, g.Now()); ref != nil {
		return g.refuse(ctx, a, ref.Code, ref.Why)
	}
	if err := g.attempt(ctx, a, true, "", "sent to the run", d); err != nil {
		return refused(Unavailable, "your decision could not be written down, so it does not count; try again")
	}
	return g.deliver(ctx, a, view.Envelope.WorkflowID, wire.UpdateDecide, wire.Decide{Request: a.Request, Decision: d}, d)
}

// answer is the same road for a question.
func (g *Gateway) answer(ctx context.Context, a Act) Reply {
	q, err := g.DB.Question(ctx, a.Request)
	if err != nil {
		return g.unread(ctx, a, err)
	}
	run, err := g.DB.Run(ctx, q.Run)
	if err != nil {
		return refused(Unavailable, "the run of this question could not be read; try again")
	}
	digest := wire.QuestionDigest(wire.Question{ID: q.ID, Prompt: q.Prompt, Choices: q.Choices})
	switch {
	case q.Answered():
		return g.refuse(ctx, a, signoff.ClosedCode, "this question is no longer open")
	case run.World != g.World:
		return g.refuse(ctx, a, signoff.WrongRequest, fmt.Sprintf("this question belongs to a %s, not to this installation's world (%s)", run.World, g.World))
	case a.Digest != "" && a.Digest != digest:
		return g.refuse(ctx, a, signoff.StaleDigest, "this answer was given to another question; read it again")
	}
	a.Digest, a.Reason = digest, a.Answer
	d, ref := g.sign(ctx, a, []string{q.From}, run.Signers)
	if ref == nil && len(d.Groups) == 0 {
		ref = &signoff.Refusal{Code: signoff.NotEligible, Why: fmt.Sprintf("only members of %q may answer this", q.From)}
	}
	if ref != nil {
		return g.refuse(ctx, a, ref.Code, ref.Why)
	}
	if err := g.attempt(ctx, a, true, "", "sent to the run", d); err != nil {
		return refused(Unavailable, "your answer could not be written down, so it does not count; try again")
	}
	return g.deliver(ctx, a, WorkflowID(run), wire.UpdateAnswer, wire.Answer{Question: q.ID, Decision: d}, d)
}

// WorkflowID of a run.
func WorkflowID(r incident.Run) string { return r.WorkflowID() }

// sign maps the person, looks at groups now, and signs what was seen, with a key that the run accepts.
func (g *Gateway) sign(ctx context.Context, a Act, groups, accepted []string) (signoff.Decision, *signoff.Refusal) {
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
		return signoff.Decision{}, &signoff.Refusal{Code: Unavailable, Why: "who you are could not be checked just now; nothing was decided, try again"}
	}
	now := g.Now().UTC().Truncate(time.Microsecond)
	seen = seen.UTC().Truncate(time.Microsecond)
	if seen.After(now) {
		seen = now
	}
	signer := g.Signer.For(accepted)
	d, err := signoff.Sign(signoff.Decision{
		Request: a.Request, Digest: a.Digest, Person: p.ID, Name: p.Name, Verb: a.Verb, Reason: a.Reason,
		Groups: in, SeenAt: seen, At: now, Surface: a.Surface,
	}, signer.ID, signer.Private)
	if err != nil {
		g.Log.Error("a decision could not be signed", "error", err)
		return signoff.Decision{}, &signoff.Refusal{Code: Unavailable, Why: "your decision could not be signed; nothing was decided"}
	}
	return d, nil
}

// Unavailable is the code of an act that could not be checked or written down: nothing was decided.
const Unavailable = "unavailable"

// refuse commits a refused attempt before it is said. What cannot be written down is not answered as if it were.
func (g *Gateway) refuse(ctx context.Context, a Act, code, why string) Reply {
	if err := g.attempt(ctx, a, false, code, why, signoff.Decision{}); err != nil {
		g.Log.Error("a refused attempt could not be written down", "request", a.Request, "error", err)
		return refused(Unavailable, "your attempt could not be written down; nothing was decided, try again")
	}
	return refused(code, why)
}

// unread is an act on something that could not be read. Where there is no such thing, the attempt stands in the
// installation's own ledger, because no run's is the right one.
func (g *Gateway) unread(ctx context.Context, a Act, cause error) Reply {
	var missing *database.NotFoundError
	if !errors.As(cause, &missing) {
		g.Log.Error("an act could not be checked", "request", a.Request, "error", cause)
		return refused(Unavailable, "this could not be checked just now; nothing was decided, try again")
	}
	why := fmt.Sprintf("there is no request %q here", clipped(a.Request))
	a.Request, a.Reason, a.Answer = clipped(a.Request), "", ""
	err := g.DB.RecordStray(ctx, database.Attempt{
		Request: a.Request, Person: a.Person, Verb: clipped(a.Verb), Surface: a.Surface, Code: signoff.ClosedCode, Why: why, At: g.Now(), ID: rand.Text(),
	})
	if err != nil {
		g.Log.Error("a refused attempt could not be written down", "request", a.Request, "error", err)
		return refused(Unavailable, "your attempt could not be written down; nothing was decided, try again")
	}
	return refused(signoff.ClosedCode, why)
}

// clipped bounds a name that somebody made up.
func clipped(s string) string {
	if len(s) > 200 {
		return strings.ToValidUTF8(s[:200], "") + "…"
	}
	return s
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
		Request: a.Request, Person: a.Person, Verb: a.Verb, Surface: a.Surface, Accepted: accepted, Code: code, Why: why, At: g.Now(), Decision: raw, ID: rand.Text(),
	})
}

func refused(code, why string) Reply { return Reply{Text: why, Code: code} }
