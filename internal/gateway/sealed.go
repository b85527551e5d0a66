package gateway

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

// VerbSeal is the verb of somebody who puts a new key into the sealed form.
const VerbSeal = "seal"

// Limits of what can be a key.
const (
	shortestKey = 16
	longestKey  = 8192
)

// Seal takes a new key from a person for a question that waits for one. The value goes under seal and nowhere else: the
// attempt and the answer hold the handle alone. It wipes value.
func (g *Gateway) Seal(ctx context.Context, a Act, value []byte) Reply {
	defer clear(value)
	a.Verb, a.Reason, a.Answer = VerbSeal, "", ""
	q, err := g.DB.Question(ctx, a.Request)
	if err != nil {
		return g.unread(ctx, a, err)
	}
	if code, why := g.maySeal(ctx, a, q); why != "" {
		return g.refuse(ctx, a, code, why)
	}
	key := bytes.TrimSpace(value)
	if len(key) < shortestKey || len(key) > longestKey || bytes.ContainsAny(key, " \t\r\n\x00") {
		return g.refuse(ctx, a, Unavailable, "this is not a key: one word of 16 to 8,192 characters is expected; nothing was kept")
	}
	if err := g.attempt(ctx, a, true, "", "sealed", signoff.Decision{}); err != nil {
		return refused(Unavailable, "your attempt could not be written down, so nothing was kept; try again")
	}
	ref, err := g.DB.PutSealed(ctx, "new/"+q.Run+"/"+q.Step, key, q.Run)
	if err == nil {
		var won bool
		if _, won, err = g.DB.AnswerQuestion(ctx, q.ID, ref.Handle+"#"+strconv.Itoa(ref.Version), a.Person, g.Now()); err == nil && !won {
			err = errors.New("somebody else was faster")
		}
	}
	if err != nil {
		g.Log.Error("a key could not be sealed", "request", a.Request, "error", err)
		return refused(Unavailable, "the key could not be sealed; try again")
	}
	return Reply{Accepted: true, Text: "The key is sealed. It is held against the provider before anything gets it; watch the run."}
}

// maySeal says who may not, and what is not waited for.
func (g *Gateway) maySeal(ctx context.Context, a Act, q database.Question) (code, why string) {
	run, err := g.DB.Run(ctx, q.Run)
	switch {
	case err != nil:
		return Unavailable, "the run of this question could not be read; nothing was kept, try again"
	case run.World != g.World:
		return signoff.WrongRequest, fmt.Sprintf("this question belongs to a %s, not to this installation's world (%s)", run.World, g.World)
	case q.Kind != database.QuestionKey:
		return signoff.WrongRequest, "this question does not ask for a key"
	case q.Answered(), run.State == "done":
		return signoff.ClosedCode, "this question is no longer open"
	}
	d, ref := g.sign(ctx, a, []string{q.From}, run.Signers)
	if ref != nil {
		return ref.Code, ref.Why
	}
	if len(d.Groups) == 0 {
		return signoff.NotEligible, fmt.Sprintf("only members of %q may put a key here", q.From)
	}
	return "", ""
}
