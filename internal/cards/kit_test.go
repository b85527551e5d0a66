package cards_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/integrations/chat"
	"github.com/tourniquet-ir/tourniquet/internal/cards"
	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/seal"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

// wall shows cards as chat does: one text for each copy, the last one drawn.
type wall struct {
	chat.Chat
	mu      sync.Mutex
	shows   map[chat.Delivery]signoff.View
	replies []string
	edits   int
	asked   int
	lost    map[string]error // by channel: what Settle answers
	gone    map[chat.Delivery]bool
	during  func(signoff.View) // runs inside an edit, before it lands
}

func (w *wall) Ask(_ context.Context, v signoff.View, channel string) (chat.Delivery, error) {
	if w.during != nil {
		w.during(v)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if channel == "" {
		channel = "C0RESPOND"
	}
	w.asked++
	d := chat.Delivery{Channel: channel, TS: fmt.Sprintf("%d.000001", w.asked)}
	w.shows[d] = v
	return d, nil
}

func (w *wall) Settle(_ context.Context, d chat.Delivery, v signoff.View) (chat.Delivery, error) {
	if w.during != nil {
		w.during(v)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.edits++
	if err := w.lost[d.Channel]; err != nil {
		return d, err
	}
	if w.gone[d] {
		w.asked++
		d.TS = fmt.Sprintf("%d.000001", w.asked)
	}
	w.shows[d] = v
	return d, nil
}

func (w *wall) History(_ context.Context, d chat.Delivery, v signoff.View) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.replies = append(w.replies, fmt.Sprintf("%s %s/%d", d.Channel, v.State, len(v.Decided)))
	return nil
}

func (w *wall) at(channel string) (found []signoff.View) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for d, v := range w.shows {
		if d.Channel == channel && !w.gone[d] {
			found = append(found, v)
		}
	}
	return found
}

type room struct {
	*cards.Board
	db   *database.DB
	wall *wall
}

func newRoom(t *testing.T, requests ...string) room {
	t.Helper()
	ctx, dir := t.Context(), t.TempDir()
	ring := must(seal.LoadOrCreate(filepath.Join(dir, "ring"), nil))(t)
	db := must(database.Open(ctx, filepath.Join(dir, "db"), ring.Box()))(t)
	t.Cleanup(func() { _ = db.Close() })
	check(t, db.PutRun(ctx, incident.Run{ID: "run-1", Incident: "inc-1", Number: 1, State: "running"}))
	w := &wall{shows: map[chat.Delivery]signoff.View{}, lost: map[string]error{}, gone: map[chat.Delivery]bool{}}
	r := room{Board: cards.New(db, w, slog.New(slog.DiscardHandler)), db: db, wall: w}
	for _, id := range requests {
		v := signoff.View{Request: id, Digest: "sha256:00", State: signoff.StateOpen, Seats: 2, Spent: "1 USD",
			Envelope: signoff.Envelope{Run: "run-1", Expires: time.Date(2031, 1, 1, 0, 0, 0, 0, time.UTC)}}
		check(t, db.PutRequest(ctx, v))
	}
	return r
}

func (r room) post(t *testing.T, request, surface, channel string) chat.Delivery {
	t.Helper()
	d, posted, err := r.Post(t.Context(), request, surface, channel)
	if err != nil || !posted {
		t.Fatalf("posted %v: %v", posted, err)
	}
	return d
}

func (r room) becomes(t *testing.T, request, state string, decided ...string) {
	t.Helper()
	check(t, r.db.SetRequest(t.Context(), request, func(v *signoff.View) error {
		v.State = state
		for _, p := range decided {
			v.Decided = append(v.Decided, signoff.Decision{Person: p, Verb: signoff.Approve})
		}
		return nil
	}))
}

func must[V any](v V, err error) func(*testing.T) V {
	return func(t *testing.T) V {
		t.Helper()
		check(t, err)
		return v
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
