package gateway

import (
	"context"
	"fmt"
	"strings"

	"github.com/tourniquet-ir/tourniquet/integrations/chat"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
)

// Press is an act in chat. The button's value only routes: it must match a delivery that we recorded.
func (g *Gateway) Press(ctx context.Context, p chat.Press) (string, bool) {
	a := Act{Surface: "slack", Request: p.Request, Verb: p.Verb, Digest: p.Digest, Reason: p.Reason, Answer: p.Answer}
	if person, ok := g.People.BySlack(p.User); ok {
		a.Person = person.ID
	} else {
		a.Person = "slack:" + p.User
	}
	of, found, err := g.DB.DeliveryFor(ctx, p.Delivery.Channel, p.Delivery.TS)
	if err != nil {
		return "This could not be checked just now; nothing was decided, try again.", false
	}
	if !found || of != p.Request {
		r := g.refuse(ctx, a, signoff.WrongRequest, "this button is not on a message that Tourniquet sent for this request")
		return r.Text, false
	}
	if p.Verb == wire.VerbAnswer {
		a.Verb = wire.VerbAnswer
	}
	r := g.Do(ctx, a)
	return r.Text, r.Accepted
}

// View gives the stored view of a request to whoever is listed under people.
func (g *Gateway) View(ctx context.Context, request, user string) (signoff.View, error) {
	if _, ok := g.People.BySlack(user); !ok {
		return signoff.View{}, fmt.Errorf("you are not listed under people in the configuration, so you cannot review this")
	}
	return g.DB.Request(ctx, request)
}

// Command answers /tourniquet.
func (g *Gateway) Command(ctx context.Context, user, text string) string {
	p, ok := g.People.BySlack(user)
	if !ok {
		return "You are not listed under people in the configuration."
	}
	fields := strings.Fields(text)
	if len(fields) == 0 {
		fields = []string{"status"}
	}
	switch fields[0] {
	case "status", "list":
		return g.status(ctx)
	case "hold":
		return g.hold(ctx, p.ID, fields[1:])
	default:
		return "status: what is open · hold on <reason> · hold off <reason>"
	}
}

func (g *Gateway) status(ctx context.Context) string {
	open, err := g.DB.Requests(ctx, "", true)
	if err != nil {
		return "The records cannot be read just now."
	}
	if len(open) == 0 {
		return "No sign-off is open."
	}
	lines := []string{fmt.Sprintf("%d sign-offs are open:", len(open))}
	for _, v := range open {
		lines = append(lines, fmt.Sprintf("%s  %s  %d of %d seats, until %s", v.Request, v.Title, v.Filled, v.Seats, v.Envelope.Expires.UTC().Format("15:04 UTC")))
	}
	return strings.Join(lines, "\n")
}

func (g *Gateway) hold(ctx context.Context, person string, args []string) string {
	if len(args) < 2 || args[0] != "on" && args[0] != "off" {
		return "Say: hold on <reason>, or: hold off <reason>"
	}
	on := args[0] == "on"
	if err := g.DB.SetHold(ctx, on, person, strings.Join(args[1:], " ")); err != nil {
		return "The hold could not be written down; nothing changed."
	}
	if on {
		return "Automatic actions are on hold. Sign-offs go on."
	}
	return "Automatic actions may run again."
}
