package cards_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

// meter tells a higher sum each time it is asked.
type meter struct{ asked int }

func (m *meter) money(context.Context, signoff.View) (string, string, bool) {
	m.asked++
	return fmt.Sprintf("%d USD", m.asked+1), "28 USD an hour", true
}

func TestTheMoneyOnOpenCardsIsRefreshedWithoutATraceInTheThread(t *testing.T) {
	t.Parallel()
	r, m := newRoom(t, "so-1", "so-closed", "so-unseen"), &meter{}
	r.post(t, "so-1", "slack", "")
	r.post(t, "so-closed", "slack", "C0OTHER")
	r.becomes(t, "so-closed", signoff.StateRejected)
	check(t, r.Refresh(t.Context(), "so-closed"))
	replies := len(r.wall.replies)
	check(t, r.Burn(t.Context(), m.money))
	if got := r.wall.at("C0RESPOND"); got[0].Spent != "2 USD" || got[0].Waiting != "28 USD an hour" {
		t.Errorf("the card shows %q", got[0].Spent)
	}
	if got := r.wall.at("C0OTHER"); got[0].Spent != "1 USD" || m.asked != 1 {
		t.Errorf("a closed card shows %q; the provider was asked %d times", got[0].Spent, m.asked)
	}
	if len(r.wall.replies) != replies {
		t.Errorf("the thread was told of money: %q", r.wall.replies)
	}
}

func TestAFigureThatNobodyKnowsLeavesTheLastOne(t *testing.T) {
	t.Parallel()
	r := newRoom(t, "so-1")
	r.post(t, "so-1", "slack", "")
	check(t, r.Burn(t.Context(), func(context.Context, signoff.View) (string, string, bool) { return "unknown", "", false }))
	if got := r.wall.at("C0RESPOND"); got[0].Spent != "1 USD" || r.wall.edits != 0 {
		t.Errorf("the card shows %q after %d edits", got[0].Spent, r.wall.edits)
	}
}

func TestARoundOfManyCardsStaysInsideTheRateLimitAndReachesAllInTurn(t *testing.T) {
	t.Parallel()
	var ids []string
	for i := range 50 {
		ids = append(ids, fmt.Sprintf("so-%02d", i))
	}
	r, m := newRoom(t, ids...), &meter{}
	for _, id := range ids {
		r.post(t, id, "slack", "C0"+id)
	}
	for round := 1; round <= 3; round++ {
		before := r.wall.edits
		check(t, r.Burn(t.Context(), m.money))
		if n := r.wall.edits - before; n > 20 {
			t.Errorf("round %d made %d edits", round, n)
		}
	}
	for _, id := range ids {
		if got := r.wall.at("C0" + id); got[0].Spent == "1 USD" {
			t.Errorf("after three rounds %s still shows the first figure", id)
		}
	}
}
