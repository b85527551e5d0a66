package activities

import (
	"context"
	"fmt"
	"strings"
	"time"

	"go.temporal.io/sdk/activity"

	"github.com/tourniquet-ir/tourniquet/integrations/chat"
	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
)

// undeliveredAfter is how long chat may be away before people are written to and woken another way.
const undeliveredAfter = time.Minute

// askSignoff posts the card. A copy that was delivered before is not posted twice.
func (h *House) askSignoff(ctx context.Context, s wire.Settle) error {
	view, err := h.DB.Request(ctx, s.Request)
	if err != nil || h.Chat == nil || view.State != signoff.StateOpen {
		return err
	}
	sent, err := h.DB.Deliveries(ctx, s.Request)
	if err != nil || len(sent) > 0 {
		return err
	}
	d, err := h.Chat.Ask(ctx, view)
	if err != nil {
		return h.undelivered(ctx, s.Run, s.Request, "Sign-off needed: "+view.Title, err)
	}
	h.ledger(ctx, s.Run, "signoff.delivered", view.Envelope.Step, "delivered/"+s.Request, map[string]any{"channel": d.Channel, "ts": d.TS})
	return h.DB.AddDelivery(ctx, s.Request, d.Channel, d.TS, "slack")
}

// undelivered goes round chat when it has been away for a minute; the error makes Temporal try chat again.
func (h *House) undelivered(ctx context.Context, run, id, subject string, cause error) error {
	if h.Now().Sub(activity.GetInfo(ctx).ScheduledTime) < undeliveredAfter {
		return cause
	}
	name := "undelivered/" + id
	if _, told, err := h.DB.Setting(ctx, name); err != nil || told {
		return cause
	}
	text := subject + "\nChat does not take the message, so decide in the console or with: tourniquet signoff show " + id
	told := false
	if h.Pager != nil && h.Pager.Page(ctx, id, subject, nil) == nil {
		told = true
	}
	if h.Mailer != nil {
		if to := h.addresses(ctx, h.Policy.Responders); len(to) > 0 && h.Mailer.Send(ctx, to, subject, text) == nil {
			told = true
		}
	}
	h.ledger(ctx, run, "signoff.undelivered", "", name, map[string]any{"request": id, "why": cause.Error(), "told_otherwise": told})
	if told {
		if err := h.DB.PutSetting(ctx, name, "told"); err != nil {
			return err
		}
	}
	return cause
}

func (h *House) addresses(ctx context.Context, group string) []string {
	members, _, err := h.People.Members(ctx, group)
	if err != nil {
		return nil
	}
	var to []string
	for _, m := range members {
		if p, ok := h.People.Person(m); ok && p.Email != "" {
			to = append(to, p.Email)
		}
	}
	return to
}

// settleSignoff keeps what became of a request and takes the buttons off every copy.
func (h *House) settleSignoff(ctx context.Context, s wire.Settle) error {
	err := h.DB.SetRequest(ctx, s.Request, func(v *signoff.View) error {
		if !closedState(v.State) {
			v.State, v.Decided = s.State, s.Decisions
		}
		v.Filled, v.Seats = signoff.Seats(v.Envelope.Rule, v.Decided)
		if s.Why != "" {
			v.Otherwise = s.Why
		}
		return nil
	})
	if err != nil {
		return err
	}
	h.ledger(ctx, s.Run, "signoff.settled", "", "settled/"+s.Request+"/"+s.State, map[string]any{"request": s.Request, "state": s.State, "why": s.Why})
	return h.refreshCards(ctx, s.Request)
}

// closedState reports whether a request's story is over.
func closedState(s string) bool {
	switch s {
	case signoff.StateDone, signoff.StateFailed, signoff.StateRejected, signoff.StateExpired, signoff.StateVoided, signoff.StateCancelled, signoff.StateLapsed:
		return true
	}
	return false
}

func (h *House) refreshCards(ctx context.Context, request string) error {
	if h.Chat == nil {
		return nil
	}
	view, err := h.DB.Request(ctx, request)
	if err != nil {
		return err
	}
	copies, err := h.DB.Deliveries(ctx, request)
	if err != nil {
		return err
	}
	for _, d := range copies {
		if err := h.Chat.Settle(ctx, chat.Delivery{Channel: d.Channel, TS: d.TS}, view); err != nil {
			return err
		}
	}
	return nil
}

// remind says again that something waits; with a group it wakes that group.
func (h *House) remind(ctx context.Context, r wire.Remind) error {
	text := fmt.Sprintf("%s %s", r.Request, r.Why)
	if r.Group != "" && h.Pager != nil {
		if err := h.Pager.Page(ctx, r.Request+"/"+r.Group, "Escalated to "+r.Group+": "+text, nil); err != nil {
			return err
		}
	}
	if h.Chat == nil {
		return nil
	}
	note := chat.Note{Title: "Still waiting", Lines: []string{text}}
	if r.Group != "" {
		note.Title = "Escalated to " + r.Group
	}
	if copies, err := h.DB.Deliveries(ctx, r.Request); err == nil && len(copies) > 0 {
		note.To, note.Thread = copies[0].Channel, chat.Delivery{Channel: copies[0].Channel, TS: copies[0].TS}
	}
	_, err := h.Chat.Tell(ctx, note)
	return err
}

func (h *House) openQuestion(ctx context.Context, q wire.Question) error {
	row := database.Question{ID: q.ID, Run: q.Run, Step: q.Step, Kind: q.Kind, From: q.From, Prompt: q.Prompt, Choices: q.Choices, Otherwise: q.Otherwise, Expires: q.Expires}
	if err := h.DB.PutQuestion(ctx, row); err != nil {
		return err
	}
	sent, err := h.DB.Deliveries(ctx, q.ID)
	if err != nil || len(sent) > 0 || h.Chat == nil {
		return err
	}
	if known, err := h.DB.Question(ctx, q.ID); err != nil || known.Answer != "" {
		return err
	}
	d, err := h.Chat.Question(ctx, choice(q))
	if err != nil {
		return h.undelivered(ctx, q.Run, q.ID, q.Title, err)
	}
	return h.DB.AddDelivery(ctx, q.ID, d.Channel, d.TS, "slack")
}

func (h *House) settleQuestion(ctx context.Context, q wire.Question) error {
	if err := h.closeQuestion(ctx, q); err != nil {
		return err
	}
	copies, err := h.DB.Deliveries(ctx, q.ID)
	if err != nil || h.Chat == nil {
		return err
	}
	for _, d := range copies {
		if err := h.Chat.SettleQuestion(ctx, chat.Delivery{Channel: d.Channel, TS: d.TS}, choice(q), q.Answer+" ("+q.By+")"); err != nil {
			return err
		}
	}
	return nil
}

// closeQuestion keeps a person's answer, or that nobody answered in time.
func (h *House) closeQuestion(ctx context.Context, q wire.Question) error {
	if strings.HasPrefix(q.By, "nobody") || q.Answer == "" {
		_, err := h.DB.ExpireQuestion(ctx, q.ID, h.Now())
		return err
	}
	_, _, err := h.DB.AnswerQuestion(ctx, q.ID, q.Answer, q.By, h.Now())
	return err
}

func choice(q wire.Question) chat.Choice {
	c := chat.Choice{Request: q.ID, Run: q.Run, Title: q.Title, Prompt: q.Prompt, Choices: q.Choices, Who: "members of " + q.From}
	if !q.Expires.IsZero() {
		c.Expires = q.Expires.UTC().Format("2006-01-02 15:04 UTC") + ", then: " + q.Otherwise
	}
	return c
}
