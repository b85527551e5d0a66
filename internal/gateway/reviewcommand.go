package gateway

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/review"
)

// reviewCommand adds what people learned to the ledger of a run.
func (g *Gateway) reviewCommand(ctx context.Context, person, verb string, args []string) string {
	m := review.Remark{By: person, Surface: "slack", At: g.Now()}
	switch {
	case verb == "lesson" && len(args) >= 2:
		m.Kind, m.Text = review.Lesson, strings.Join(args[1:], " ")
	case verb == "next" && len(args) >= 3:
		m.Kind, m.Owner, m.Text = review.NextStep, g.mentioned(args[1]), strings.Join(args[2:], " ")
	case verb == "done" && len(args) >= 2:
		n, err := strconv.ParseInt(strings.TrimPrefix(args[1], "#"), 10, 64)
		if err != nil {
			return fmt.Sprintf("%q is not the number of a next step; the report lists them.", args[1])
		}
		m.Kind, m.NextStep, m.Text = review.Done, n, strings.Join(args[2:], " ")
	default:
		return "Something is missing. These I know:\n" + usage
	}
	known := func(id string) bool { _, listed := g.People.Person(id); return listed }
	n, err := review.Add(ctx, g.DB, known, args[0], m)
	if no := new(review.RefusedError); errors.As(err, &no) {
		return "Nothing was written down: " + no.Why + "."
	}
	switch {
	case database.IsNotFound(err):
		return fmt.Sprintf("There is no run %q.", args[0])
	case err != nil:
		return "It could not be written down just now; try again."
	case verb == "next":
		return fmt.Sprintf("Written down: next step %d of %s, owned by %s.", n, args[0], m.Owner)
	}
	return "Written down in the ledger of " + args[0] + "."
}

// mentioned is a person's id, be it given as such or as a mention in Slack: <@U012> or <@U012|name>.
func (g *Gateway) mentioned(word string) string {
	user, is := strings.CutPrefix(strings.TrimSuffix(word, ">"), "<@")
	if !is {
		return strings.TrimPrefix(word, "@")
	}
	user, _, _ = strings.Cut(user, "|")
	if p, ok := g.People.BySlack(user); ok {
		return p.ID
	}
	return user
}
