package cards_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/tourniquet-ir/tourniquet/integrations/chat"
	"github.com/tourniquet-ir/tourniquet/internal/cards"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

func TestADecisionWhileACardIsDrawnIsNeverDrawnOver(t *testing.T) {
	t.Parallel()
	r := newRoom(t, "so-1")
	r.post(t, "so-1", "slack", "")
	other := cards.New(r.db, r.wall, nil) // another process: it shares records and chat, and no memory
	r.becomes(t, "so-1", signoff.StateOpen, "ann")
	var once sync.Once
	r.wall.during = func(v signoff.View) {
		if v.State == signoff.StateOpen {
			once.Do(func() {
				r.becomes(t, "so-1", signoff.StateExecuting, "bob")
				check(t, other.Refresh(t.Context(), "so-1"))
			})
		}
	}
	check(t, r.Refresh(t.Context(), "so-1"))
	if got := r.wall.at("C0RESPOND"); len(got) != 1 || got[0].State != signoff.StateExecuting {
		t.Errorf("the card that stayed says %+v", got)
	}
}

func TestManyWhoChangeARequestAtOnceLeaveOneTruth(t *testing.T) {
	t.Parallel()
	r := newRoom(t, "so-1")
	r.post(t, "so-1", "slack", "")
	r.post(t, "so-1", "slack-room", "C0ROOM")
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			r.becomes(t, "so-1", signoff.StateOpen, fmt.Sprintf("p%d", i))
			if err := r.Refresh(t.Context(), "so-1"); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	r.becomes(t, "so-1", signoff.StateRejected)
	check(t, r.Refresh(t.Context(), "so-1"))
	for _, c := range []string{"C0RESPOND", "C0ROOM"} {
		if got := r.wall.at(c); len(got) != 1 || got[0].State != signoff.StateRejected || len(got[0].Decided) != 20 {
			t.Errorf("%s shows %+v", c, got)
		}
	}
}

func TestWhatACardShowsAlreadyIsNotDrawnAgain(t *testing.T) {
	t.Parallel()
	r := newRoom(t, "so-1")
	r.post(t, "so-1", "slack", "")
	r.becomes(t, "so-1", signoff.StateOpen, "ann")
	for range 5 {
		check(t, r.Refresh(t.Context(), "so-1"))
	}
	if r.wall.edits != 1 {
		t.Errorf("%d edits for one change", r.wall.edits)
	}
}

func TestADeletedCopyLivesOnWhereItWasPostedAgain(t *testing.T) {
	t.Parallel()
	r := newRoom(t, "so-1")
	d := r.post(t, "so-1", "slack", "")
	r.wall.gone[d] = true
	r.becomes(t, "so-1", signoff.StateOpen, "ann")
	check(t, r.Refresh(t.Context(), "so-1"))
	copies := must(r.db.Deliveries(t.Context(), "so-1"))(t)
	if len(copies) != 1 || copies[0].TS == d.TS || r.wall.asked != 2 {
		t.Fatalf("copies %+v after %d posts", copies, r.wall.asked)
	}
	request, found, err := r.db.DeliveryFor(t.Context(), copies[0].Channel, copies[0].TS)
	if err != nil || !found || request != "so-1" {
		t.Errorf("a press on the new copy would lead to %q %v %v", request, found, err)
	}
}

func TestACopyThatIsLostDoesNotKeepTheOthersFromChanging(t *testing.T) {
	t.Parallel()
	r := newRoom(t, "so-1")
	r.post(t, "so-1", "slack-room", "C0GONE")
	r.post(t, "so-1", "slack", "")
	r.wall.lost["C0GONE"] = fmt.Errorf("Slack refused: %w", chat.ErrUnreachable)
	r.becomes(t, "so-1", signoff.StateRejected)
	check(t, r.Refresh(t.Context(), "so-1"))
	if got := r.wall.at("C0RESPOND"); got[0].State != signoff.StateRejected {
		t.Errorf("the other copy shows %q", got[0].State)
	}
	r = newRoom(t, "so-1")
	r.post(t, "so-1", "slack-room", "C0BUSY")
	r.post(t, "so-1", "slack", "")
	away := errors.New("Slack answered status 500")
	r.wall.lost["C0BUSY"] = away
	r.becomes(t, "so-1", signoff.StateRejected)
	if err := r.Refresh(t.Context(), "so-1"); !errors.Is(err, away) {
		t.Errorf("a copy that has to be tried again is forgotten: %v", err)
	}
	if got := r.wall.at("C0RESPOND"); got[0].State != signoff.StateRejected {
		t.Errorf("the other copy shows %q", got[0].State)
	}
	delete(r.wall.lost, "C0BUSY")
	check(t, r.Refresh(t.Context(), "so-1"))
	if got := r.wall.at("C0BUSY"); got[0].State != signoff.StateRejected {
		t.Errorf("the copy that was tried again shows %q", got[0].State)
	}
}

func TestTheThreadKeepsEveryChangeOnce(t *testing.T) {
	t.Parallel()
	r := newRoom(t, "so-1")
	r.post(t, "so-1", "slack", "")
	check(t, r.Refresh(t.Context(), "so-1"))
	r.becomes(t, "so-1", signoff.StateOpen, "ann")
	check(t, r.Refresh(t.Context(), "so-1"))
	restarted := cards.New(r.db, r.wall, nil)
	check(t, restarted.Refresh(t.Context(), "so-1"))
	r.becomes(t, "so-1", signoff.StateExecuting, "bob")
	check(t, restarted.Refresh(t.Context(), "so-1"))
	r.becomes(t, "so-1", signoff.StateDone)
	check(t, restarted.Refresh(t.Context(), "so-1"))
	want := []string{"C0RESPOND open/1", "C0RESPOND executing/2", "C0RESPOND done/2"}
	if !slices.Equal(r.wall.replies, want) {
		t.Errorf("the thread holds %q, want %q", r.wall.replies, want)
	}
}

func TestACardThatIsPostedWhileSomebodyDecidesLosesItsButtons(t *testing.T) {
	t.Parallel()
	r := newRoom(t, "so-1")
	var once sync.Once
	r.wall.during = func(signoff.View) {
		once.Do(func() {
			r.becomes(t, "so-1", signoff.StateRejected)
			// Whoever closed it finds no copy yet.
			check(t, cards.New(r.db, r.wall, nil).Refresh(t.Context(), "so-1"))
		})
	}
	r.post(t, "so-1", "slack", "")
	if got := r.wall.at("C0RESPOND"); len(got) != 1 || got[0].State != signoff.StateRejected {
		t.Errorf("the new card shows %+v", got)
	}
}

func TestACardIsPostedOnceInEachPlaceAndOnlyWhileOpen(t *testing.T) {
	t.Parallel()
	r := newRoom(t, "so-1", "so-2")
	r.post(t, "so-1", "slack", "")
	if _, posted, err := r.Post(t.Context(), "so-1", "slack", ""); posted || err != nil {
		t.Errorf("a second copy was posted in the same place: %v", err)
	}
	r.becomes(t, "so-2", signoff.StateExpired)
	if _, posted, err := r.Post(t.Context(), "so-2", "slack", ""); posted || err != nil {
		t.Errorf("a closed request was posted: %v", err)
	}
}

func TestWithoutChatNothingIsDrawn(t *testing.T) {
	t.Parallel()
	r := newRoom(t, "so-1")
	var none *cards.Board
	for _, b := range []*cards.Board{none, cards.New(r.db, nil, nil)} {
		check(t, b.Refresh(t.Context(), "so-1"))
		check(t, b.Burn(t.Context(), nil))
	}
}
