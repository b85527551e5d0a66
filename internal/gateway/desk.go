package gateway

import (
	"context"
	"fmt"

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

// Shown tells whether a card or a question of ours was ever shown in this channel.
func (g *Gateway) Shown(ctx context.Context, channel string) bool {
	shown, err := g.DB.ShownIn(ctx, channel)
	return err == nil && shown
}
