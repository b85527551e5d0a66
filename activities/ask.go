package activities

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tourniquet-ir/tourniquet/integrations/chat"
	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
)

// The places where a card is shown.
const (
	surfaceChannel = "slack"
	surfaceRoom    = "slack-room" // the incident's own channel
)

// askSignoff posts the card, in the responders' channel and in the incident's own where incidents have one. A copy that
// was delivered before is not posted twice.
func (h *House) askSignoff(ctx context.Context, s wire.Settle) error {
	if err := h.mine(ctx, s.Run); err != nil {
		return err
	}
	view, err := h.DB.Request(ctx, s.Request)
	if err != nil || view.State != signoff.StateOpen {
		return err
	}
	subject := "Sign-off needed: " + view.Title
	if h.Chat == nil {
		return h.otherwise(ctx, s.Run, s.Request, subject, "chat is not configured")
	}
	if err := h.alarmed(ctx, s.Run, s.Request); err != nil {
		return err
	}
	if err := h.show(ctx, s.Run, view, surfaceChannel, ""); err != nil {
		return h.undelivered(ctx, s.Run, s.Request, subject, err)
	}
	if !h.Rooms {
		return nil
	}
	room, err := h.room(ctx, view)
	if err != nil {
		return err
	}
	return h.show(ctx, s.Run, view, surfaceRoom, room)
}

func (h *House) show(ctx context.Context, run string, view signoff.View, surface, channel string) error {
	d, posted, err := h.Cards.Post(ctx, view.Request, surface, channel)
	if posted {
		h.Metrics.Undelivered(view.Request, false)
		h.ledger(ctx, run, "signoff.delivered", view.Envelope.Step, "delivered/"+view.Request+"/"+surface, map[string]any{"channel": d.Channel, "ts": d.TS})
	}
	return err
}

// room is the incident's own channel; the first sign-off makes it and invites the responders.
func (h *House) room(ctx context.Context, view signoff.View) (string, error) {
	name := "room/" + view.Envelope.Incident
	if known, ok, err := h.DB.Setting(ctx, name); err != nil || ok {
		return known, err
	}
	members, _, err := h.People.Members(ctx, h.Policy.Responders)
	if err != nil {
		return "", err
	}
	var users []string
	for _, m := range members {
		if p, ok := h.People.Person(m); ok && p.Slack != "" {
			users = append(users, p.Slack)
		}
	}
	channel, err := h.Chat.Room(ctx, view.Envelope.Incident, view.Title, users)
	if err != nil {
		return "", err
	}
	return channel, h.DB.PutSetting(ctx, name, channel)
}

// settleSignoff keeps what became of a request and takes the buttons off every copy.
func (h *House) settleSignoff(ctx context.Context, s wire.Settle) error {
	if err := h.mine(ctx, s.Run); err != nil {
		return err
	}
	var took time.Duration
	err := h.DB.SetRequest(ctx, s.Request, func(v *signoff.View) error {
		if v.Envelope.Run != s.Run {
			return refuse(wire.ErrRefused, fmt.Sprintf("the request %q belongs to another run", s.Request))
		}
		if before := v.State == signoff.StateOpen || v.State == signoff.StateQuorum; before && (s.State == signoff.StateExecuting || closedState(s.State)) {
			took = h.Now().Sub(v.Envelope.Issued)
		}
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
	if took > 0 {
		h.Metrics.Signoff(s.State, took)
	}
	h.Metrics.Undelivered(s.Request, false)
	if over := closedState(s.State); over || s.State == signoff.StateExecuting {
		h.quiet(ctx, s.Request, over)
	}
	h.ledger(ctx, s.Run, "signoff.settled", "", "settled/"+s.Request+"/"+s.State, map[string]any{"request": s.Request, "state": s.State, "why": s.Why})
	return h.Cards.Refresh(ctx, s.Request)
}

// closedState reports whether a request's story is over.
func closedState(s string) bool {
	switch s {
	case signoff.StateDone, signoff.StateFailed, signoff.StateRejected, signoff.StateExpired, signoff.StateVoided, signoff.StateCancelled, signoff.StateLapsed:
		return true
	}
	return false
}

// remind says again that something waits; with a group it wakes that group.
func (h *House) remind(ctx context.Context, r wire.Remind) error {
	if err := h.mineOrParked(ctx, r.Run); err != nil {
		return err
	}
	text := fmt.Sprintf("%s %s", r.Request, r.Why)
	view, err := h.DB.Request(ctx, r.Request)
	if err != nil && !database.IsNotFound(err) {
		return err
	}
	if err == nil && view.State != signoff.StateOpen {
		return nil // decided while chat was away: nobody is woken for it any more
	}
	if r.Group != "" && h.Pager != nil {
		if err := h.wake(ctx, r.Request, r.Request+"/"+r.Group, "Escalated to "+r.Group+": "+text, nil); err != nil {
			return err
		}
	}
	if h.Chat == nil {
		return nil
	}
	done := func(person string) bool {
		return slices.Contains(view.Envelope.Rule.Excluded, person) ||
			slices.ContainsFunc(view.Decided, func(d signoff.Decision) bool { return d.Person == person })
	}
	note := chat.Note{Title: "Still waiting", Lines: []string{text}, Ping: h.pinged(groupsNow(view.Envelope.Rule, h.Now()), done)}
	if r.Group != "" {
		note.Title, note.Ping = "Escalated to "+r.Group, h.pinged([]string{r.Group}, func(string) bool { return false })
	}
	if copies, err := h.DB.Deliveries(ctx, r.Request); err == nil && len(copies) > 0 {
		note.To, note.Thread = copies[0].Channel, chat.Delivery{Channel: copies[0].Channel, TS: copies[0].TS}
	}
	_, err = h.Chat.Tell(ctx, note)
	return err
}

func (h *House) openQuestion(ctx context.Context, q wire.Question) error {
	if err := h.mineOrParked(ctx, q.Run); err != nil {
		return err
	}
	row := database.Question{ID: q.ID, Run: q.Run, Step: q.Step, Kind: q.Kind, From: q.From, Prompt: q.Prompt, Choices: q.Choices, Otherwise: q.Otherwise, Expires: q.Expires}
	if err := h.DB.PutQuestion(ctx, row); err != nil {
		return err
	}
	if h.Chat == nil {
		return h.otherwise(ctx, q.Run, q.ID, q.Title, "chat is not configured")
	}
	sent, err := h.DB.Deliveries(ctx, q.ID)
	if err != nil || len(sent) > 0 {
		return err
	}
	if known, err := h.DB.Question(ctx, q.ID); err != nil || known.Answered() {
		return err
	}
	d, err := h.Chat.Question(ctx, choice(q, h.alarm(ctx, q.Run)))
	if err != nil {
		return h.undelivered(ctx, q.Run, q.ID, q.Title, err)
	}
	h.Metrics.Undelivered(q.ID, false)
	h.ledger(ctx, q.Run, "question.delivered", q.Step, "delivered/"+q.ID, map[string]any{"channel": d.Channel, "ts": d.TS})
	return h.DB.AddDelivery(ctx, q.ID, d.Channel, d.TS, "slack")
}

func (h *House) settleQuestion(ctx context.Context, q wire.Question) error {
	if err := h.mineOrParked(ctx, q.Run); err != nil {
		return err
	}
	if err := h.closeQuestion(ctx, q); err != nil {
		return err
	}
	h.Metrics.Undelivered(q.ID, false)
	h.quiet(ctx, q.ID, true)
	copies, err := h.DB.Deliveries(ctx, q.ID)
	if err != nil || h.Chat == nil {
		return err
	}
	alarm := h.alarm(ctx, q.Run)
	for _, d := range copies {
		err := h.Chat.SettleQuestion(ctx, chat.Delivery{Channel: d.Channel, TS: d.TS}, choice(q, alarm), q.Answer+" ("+q.By+")")
		if err != nil && !errors.Is(err, chat.ErrUnreachable) {
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

func choice(q wire.Question, alarm *signoff.Alarm) chat.Choice {
	c := chat.Choice{Request: q.ID, Run: q.Run, Title: q.Title, Prompt: q.Prompt, Choices: q.Choices, Who: "members of " + q.From, Alarm: alarm}
	if !q.Expires.IsZero() {
		c.Expires = q.Expires.UTC().Format("2006-01-02 15:04 UTC") + ", then: " + q.Otherwise
	}
	return c
}
