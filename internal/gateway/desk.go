package gateway

import (
	"context"
	"fmt"
	"time"

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
	of, found, err := g.shownThere(ctx, p.Delivery)
	if err != nil {
		return "This could not be checked just now; nothing was decided, try again.", false
	}
	if !found || of != p.Request {
		r := g.refuse(ctx, a, signoff.WrongRequest, "this button is not on a message that Tourniquet knows for this request; press on the newest one, which comes within a minute, or use the console or tourniquet signoff")
		return r.Text, false
	}
	if p.Verb == wire.VerbAnswer {
		a.Verb = wire.VerbAnswer
	}
	r := g.Do(ctx, a)
	return r.Text, r.Accepted
}

// People see a message a moment before we have written down that we sent it.
const (
	settleWithin = 500 * time.Millisecond
	settleEvery  = 25 * time.Millisecond
)

// shownThere says which request a message shows. A message that is not known is looked for a little longer.
func (g *Gateway) shownThere(ctx context.Context, d chat.Delivery) (request string, found bool, err error) {
	tick := time.NewTicker(settleEvery)
	defer tick.Stop()
	for range settleWithin / settleEvery {
		if request, found, err = g.DB.DeliveryFor(ctx, d.Channel, d.TS); found || err != nil {
			return request, found, err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return "", false, ctx.Err()
		}
	}
	return g.DB.DeliveryFor(ctx, d.Channel, d.TS)
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
