package activities

import (
	"context"
	"errors"
	"time"

	"go.temporal.io/sdk/activity"
)

// undeliveredAfter is how long chat may be away before people are written to and woken another way.
const undeliveredAfter = time.Minute

// asideWithin is the time for mail and page together.
const asideWithin = 20 * time.Second

// undelivered goes round chat when it has been away for a minute; the error makes Temporal try chat again.
func (h *House) undelivered(ctx context.Context, run, id, subject string, cause error) error {
	h.Metrics.Undelivered(id, true)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), asideWithin) // the attempt's own time may be over
	defer cancel()
	if h.Now().Sub(activity.GetInfo(ctx).ScheduledTime) < undeliveredAfter {
		return cause
	}
	return errors.Join(cause, h.otherwise(ctx, run, id, subject, cause.Error()))
}

// otherwise writes to people and wakes them, once for each request, because chat does not.
func (h *House) otherwise(ctx context.Context, run, id, subject, why string) error {
	name := "undelivered/" + id
	if _, told, err := h.DB.Setting(ctx, name); err != nil || told {
		return err
	}
	text := subject + "\nChat does not take the message, so decide in the console or with: tourniquet signoff show " + id
	told := false
	if h.Pager != nil && h.wake(ctx, id, id, subject, nil) == nil {
		told = true
	}
	if h.Mailer != nil {
		if to := h.addresses(h.Policy.Responders); len(to) > 0 && h.Mailer.Send(ctx, to, subject, text) == nil {
			told = true
		}
	}
	h.ledger(ctx, run, "signoff.undelivered", "", name, map[string]any{"request": id, "why": why, "told_otherwise": told})
	if !told {
		return nil
	}
	h.Metrics.ToldAside()
	return h.DB.PutSetting(ctx, name, "told")
}

// addresses are those of a group as it was last known: when chat is away, nobody can say who is in its user groups.
func (h *House) addresses(group string) []string {
	var to []string
	for _, m := range h.People.Reach(group) {
		if p, ok := h.People.Person(m); ok && p.Email != "" {
			to = append(to, p.Email)
		}
	}
	return to
}
