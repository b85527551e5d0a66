package console

import (
	"context"
	"net/http"
	"strings"

	"github.com/tourniquet-ir/tourniquet/internal/api"
	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
)

// taken is the answer to an act that counts.
type taken struct {
	Accepted bool   `json:"accepted"`
	Answer   string `json:"answer"`
}

type decideIn struct {
	ID string `path:"id"`
	decision
}

func (c *Console) apiDecide(ctx context.Context, who api.Caller, in decideIn) (taken, error) {
	view, err := c.DB.Request(ctx, in.ID)
	if err != nil {
		c.missed(ctx, who.Person.ID, SurfaceCLI, in.ID, in.Verb, err)
		return taken{}, c.apiFault(err)
	}
	return c.desk(c.Desk.Decide(ctx, in.act(who.Person.ID, SurfaceCLI, view)))
}

func (c *Console) apiQuestions(ctx context.Context, _ api.Caller, q signoffsQuery) (api.Page[database.Question], error) {
	list, err := c.DB.QuestionsPage(ctx, q.filter())
	if err != nil {
		return api.Page[database.Question]{}, c.apiFault(err)
	}
	return paged(list, func(q database.Question) string { return q.ID }), nil
}

type answerIn struct {
	ID     string `path:"id"`
	Answer string `json:"answer"`
	Digest string `json:"digest,omitempty" doc:"of the question as it was read; left out: as it stands"`
}

func (c *Console) apiAnswer(ctx context.Context, who api.Caller, in answerIn) (taken, error) {
	q, err := c.DB.Question(ctx, in.ID)
	if err != nil {
		c.missed(ctx, who.Person.ID, SurfaceCLI, in.ID, wire.VerbAnswer, err)
		return taken{}, c.apiFault(err)
	}
	if in.Digest == "" {
		in.Digest = wire.QuestionDigest(asked(q))
	}
	answer := strings.TrimSpace(in.Answer)
	if answer == "" {
		return taken{}, api.Malformed("An answer needs “answer”. Nothing was done.")
	}
	return c.desk(c.Desk.Decide(ctx, Act{Person: who.Person.ID, Surface: SurfaceCLI, Request: q.ID, Verb: wire.VerbAnswer, Digest: in.Digest, Answer: answer}))
}

type sealIn struct {
	ID    string `path:"id"`
	Value string `json:"value"`
}

// apiSeal takes a key. Its value goes under seal and nowhere else.
func (c *Console) apiSeal(ctx context.Context, who api.Caller, in sealIn) (taken, error) {
	return c.desk(c.Desk.Seal(ctx, who.Person.ID, SurfaceCLI, in.ID, []byte(in.Value)))
}

// desk says what became of an act: 200 where it counts, 409 where it does not.
func (c *Console) desk(answer string, accepted bool, code string) (taken, error) {
	c.watch.poke()
	if !accepted {
		return taken{}, api.Fault(http.StatusConflict, code, answer)
	}
	return taken{true, answer}, nil
}
