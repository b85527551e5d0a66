package gateway

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

const usage = `/tourniquet status: whether automatic actions are on hold, and how much is open
/tourniquet list: the sign-offs and questions that wait for people
/tourniquet show ID: one sign-off, as its card shows it; deciding is done on the card
/tourniquet lesson RUN TEXT: add a lesson to the report of a run
/tourniquet next RUN PERSON TEXT: add a next step that this person owns
/tourniquet done RUN NUMBER: say that a next step is done
/tourniquet hold on REASON: stop all automatic actions, open runs included
/tourniquet hold off REASON: let them run again
/tourniquet hold status: who put them on hold, and why`

// mostListed keeps an answer on one screen.
const mostListed = 20

// Command answers /tourniquet to whoever is listed under people and has an account that may decide. It decides nothing
// about a request: for that people have to see the card.
func (g *Gateway) Command(ctx context.Context, user, text string) string {
	p, ok := g.People.BySlack(user)
	if !ok {
		return "You are not listed under people in the configuration, so you cannot ask here."
	}
	why, err := g.People.MayDecide(ctx, p.ID)
	switch {
	case err != nil:
		return "Who you are could not be checked just now; nothing changed. Try again."
	case why != "":
		return "You cannot ask here: this account " + why + "."
	}
	fields := strings.Fields(text)
	if len(fields) == 0 {
		fields = []string{"status"}
	}
	verb, args := strings.ToLower(fields[0]), fields[1:]
	switch {
	case verb == "status" && len(args) == 0:
		return g.status(ctx)
	case verb == "list" && len(args) == 0:
		return g.list(ctx)
	case verb == "show" && len(args) == 1:
		return g.showRequest(ctx, args[0])
	case verb == "lesson" || verb == "next" || verb == "done":
		return g.reviewCommand(ctx, p.ID, verb, args)
	case verb == "hold":
		return g.holdCommand(ctx, p.ID, args)
	case verb == "help":
		return usage
	}
	return "I do not know that. These I know:\n" + usage
}

const unreadable = "The records cannot be read just now; try again."

func (g *Gateway) status(ctx context.Context) string {
	open, err1 := g.DB.Requests(ctx, "", true)
	asked, err2 := g.DB.Questions(ctx, "", true)
	held, err3 := g.holdStatus(ctx)
	if errors.Join(err1, err2, err3) != nil {
		return unreadable
	}
	return fmt.Sprintf("%s\n%s.\n%s.\nTo see them: /tourniquet list", held, count(len(open), "sign-off is open", "sign-offs are open"),
		count(len(asked), "question is open", "questions are open"))
}

// count words a number; zero is told like several.
func count(n int, one, several string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, several)
}

func (g *Gateway) list(ctx context.Context) string {
	open, err1 := g.DB.Requests(ctx, "", true)
	asked, err2 := g.DB.Questions(ctx, "", true)
	if errors.Join(err1, err2) != nil {
		return unreadable
	}
	var lines []string
	for _, v := range open {
		lines = append(lines, fmt.Sprintf("%s: %s. %d of %d seats, until %s", v.Request, v.Title, v.Filled, v.Seats, clock(v.Envelope.Expires)))
	}
	for _, q := range asked {
		lines = append(lines, fmt.Sprintf("%s: %s Asks %s", q.ID, q.Prompt, q.From)+until(q))
	}
	if len(lines) == 0 {
		return "Nothing waits for people."
	}
	if more := len(lines) - mostListed; more > 0 {
		lines = append(lines[:mostListed], fmt.Sprintf("and %d more; the console lists them all", more))
	}
	return strings.Join(lines, "\n")
}

func until(q database.Question) string {
	if q.Expires.IsZero() {
		return ""
	}
	return ", until " + clock(q.Expires)
}

func clock(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

// showRequest says of one request what its card says.
func (g *Gateway) showRequest(ctx context.Context, id string) string {
	v, err := g.DB.Request(ctx, id)
	if database.IsNotFound(err) {
		return fmt.Sprintf("There is no sign-off %q. To see the open ones: /tourniquet list", id)
	}
	if err != nil {
		return unreadable
	}
	e := v.Envelope
	lines := []string{
		fmt.Sprintf("%s: %s", v.Request, v.Title),
		fmt.Sprintf("%s, %d of %d seats filled, check code %s", v.State, v.Filled, v.Seats, v.Code),
	}
	for i, c := range e.Calls {
		if i == mostListed {
			lines = append(lines, fmt.Sprintf("and %d calls more", len(e.Calls)-i))
			break
		}
		lines = append(lines, fmt.Sprintf("%d. %s on %s (%s)", i+1, c.Action, c.Target, c.Effect))
	}
	lines = append(lines, "May decide: "+e.Rule.Who())
	if not := e.Rule.WhoNot(); not != "" {
		lines = append(lines, "May not: "+not)
	}
	if v.State == signoff.StateOpen {
		lines = append(lines, "Until "+clock(e.Expires)+"; otherwise "+v.Otherwise)
	}
	for _, d := range v.Decided {
		lines = append(lines, fmt.Sprintf("%s: %s at %s %s", d.Name, d.Verb, clock(d.At), d.Reason))
	}
	if v.Link != "" {
		lines = append(lines, v.Link)
	}
	return strings.Join(lines, "\n")
}

func (g *Gateway) holdCommand(ctx context.Context, person string, args []string) string {
	if len(args) == 1 && args[0] == "status" {
		held, err := g.holdStatus(ctx)
		if err != nil {
			return unreadable
		}
		return held
	}
	if len(args) < 2 || args[0] != "on" && args[0] != "off" {
		return "Say: hold status, or hold on REASON, or hold off REASON"
	}
	on := args[0] == "on"
	if err := g.Hold(ctx, person, on, strings.Join(args[1:], " ")); err != nil {
		return "Nothing changed: " + err.Error()
	}
	if on {
		return "Automatic actions are on hold. Sign-offs go on."
	}
	return "Automatic actions may run again."
}

func (g *Gateway) holdStatus(ctx context.Context) (string, error) {
	on, who, why, err := g.DB.Hold(ctx)
	switch {
	case err != nil:
		return "", err
	case on:
		return fmt.Sprintf("Automatic actions are on hold, by %s: %s", who, why), nil
	case who != "":
		return fmt.Sprintf("Automatic actions may run; the last hold was ended by %s: %s", who, why), nil
	}
	return "Automatic actions may run.", nil
}

// mostReason is the longest reason of a hold, in bytes.
const mostReason = 2000

// Hold stops or resumes all automatic actions. Every surface comes here.
func (g *Gateway) Hold(ctx context.Context, person string, on bool, reason string) error {
	reason = strings.TrimSpace(reason)
	if _, known := g.People.Person(person); !known {
		return fmt.Errorf("%q is not listed under people", person)
	}
	// Whoever may never decide may not resume either; while that cannot be looked up, a hold is still taken.
	switch why, err := g.People.MayDecide(ctx, person); {
	case err != nil && !on:
		return fmt.Errorf("who %q is could not be checked just now; try again", person)
	case why != "":
		return fmt.Errorf("%q may not do this: this account %s", person, why)
	}
	if reason == "" {
		return fmt.Errorf("a hold needs a reason: the next reader will ask")
	}
	if len(reason) > mostReason {
		return fmt.Errorf("the reason is longer than %d bytes", mostReason)
	}
	if err := g.DB.SetHold(ctx, on, person, reason); err != nil {
		g.Log.Error("a hold could not be written down", "error", err)
		return fmt.Errorf("the hold could not be written down; try again")
	}
	return nil
}
