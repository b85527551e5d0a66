package cards

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"
	"slices"
	"sync"

	"github.com/tourniquet-ir/tourniquet/integrations/chat"
	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

const (
	slots     = 64   // requests are drawn one at a time in each slot
	mostDrawn = 4096 // requests whose last drawing is remembered
	mostTurns = 5    // redraws when the request changes under the pen; whoever changed it calls, too
)

// Board draws cards. Chat may be nil: then there is nothing to draw.
type Board struct {
	db   *database.DB
	chat chat.Chat
	log  *slog.Logger
	seed maphash.Seed
	slot [slots]chan struct{}

	mu    sync.Mutex
	drawn map[string]string // request -> what its copies show
	next  string            // burn: the request after which the next round begins
}

// New makes a board. Without a log nothing is said.
func New(db *database.DB, c chat.Chat, log *slog.Logger) *Board {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	b := &Board{db: db, chat: c, log: log, seed: maphash.MakeSeed(), drawn: map[string]string{}}
	for i := range b.slot {
		b.slot[i] = make(chan struct{}, 1)
	}
	return b
}

// Refresh makes every copy of a request's card show the request as it stands, and replies in each thread what a
// decision or a new state changed, because an edit hides what was there. It reads the request again after drawing:
// a copy never stays behind a change that came meanwhile, not even one of another process.
func (b *Board) Refresh(ctx context.Context, request string) error {
	if b == nil || b.chat == nil {
		return nil
	}
	leave, err := b.enter(ctx, request)
	if err != nil {
		return err
	}
	defer leave()
	return b.redraw(ctx, request)
}

// enter waits for the request's slot.
func (b *Board) enter(ctx context.Context, request string) (leave func(), err error) {
	slot := b.slot[maphash.String(b.seed, request)%slots]
	select {
	case slot <- struct{}{}:
		return func() { <-slot }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("cards of %q: %w", request, ctx.Err())
	}
}

func (b *Board) redraw(ctx context.Context, request string) error {
	for range mostTurns {
		view, copies, mark, err := b.look(ctx, request)
		if err != nil {
			return err
		}
		if mark != "" && b.shows(request) == mark {
			return nil
		}
		if err := b.draw(ctx, view, copies); err != nil {
			return err
		}
		_, _, now, err := b.look(ctx, request)
		if err != nil {
			return err
		}
		b.remember(request, now, now == mark)
	}
	return nil
}

// Post shows an open request in one more place, named by surface; channel is empty for the responders' channel. It posts
// nothing where the request is shown there already or is no longer open.
func (b *Board) Post(ctx context.Context, request, surface, channel string) (d chat.Delivery, posted bool, err error) {
	leave, err := b.enter(ctx, request)
	if err != nil {
		return d, false, err
	}
	defer leave()
	view, copies, mark, err := b.look(ctx, request)
	if err != nil || view.State != signoff.StateOpen || slices.ContainsFunc(copies, func(c database.Delivery) bool { return c.Surface == surface }) {
		return d, false, err
	}
	if d, err = b.chat.Ask(ctx, view, channel); err != nil {
		return d, false, err
	}
	// From here on the card can be seen: whatever goes wrong with our own record, it is not posted twice in silence.
	if err := b.db.AddDelivery(ctx, request, d.Channel, d.TS, surface); err != nil {
		return d, true, err
	}
	if now, err := b.db.Request(ctx, request); err != nil || markOf(now, copies) != mark {
		return d, true, errors.Join(err, b.redraw(ctx, request)) // somebody decided elsewhere meanwhile
	}
	return d, true, nil
}

// look reads a request and where it is shown; the mark changes with either.
func (b *Board) look(ctx context.Context, request string) (signoff.View, []database.Delivery, string, error) {
	view, err := b.db.Request(ctx, request)
	if err != nil {
		return view, nil, "", err
	}
	copies, err := b.db.Deliveries(ctx, request)
	if err != nil {
		return view, nil, "", err
	}
	return view, copies, markOf(view, copies), nil
}

func markOf(view signoff.View, copies []database.Delivery) string {
	raw, err := json.Marshal([]any{view, copies})
	if err != nil {
		return "" // fits no mark: the card is drawn
	}
	sum := sha256.Sum256(raw)
	return string(sum[:])
}

func (b *Board) shows(request string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.drawn[request]
}

func (b *Board) remember(request, mark string, current bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.drawn) >= mostDrawn {
		clear(b.drawn) // at worst a card is drawn once more as it is
	}
	delete(b.drawn, request)
	if current {
		b.drawn[request] = mark
	}
}

// draw edits every copy. One that cannot be reached does not keep the others from changing.
func (b *Board) draw(ctx context.Context, view signoff.View, copies []database.Delivery) error {
	var faults []error
	for _, c := range copies {
		at := chat.Delivery{Channel: c.Channel, TS: c.TS}
		now, err := b.chat.Settle(ctx, at, view)
		if errors.Is(err, chat.ErrUnreachable) {
			b.log.Warn("a copy of a card cannot be reached any more; its buttons decide nothing that the others would not", "request", view.Request, "channel", c.Channel, "error", err)
			continue
		}
		if err == nil && now != at {
			err = b.db.MoveDelivery(ctx, view.Request, c.Channel, c.TS, now.TS)
		}
		if err == nil {
			err = b.reply(ctx, now, view)
		}
		faults = append(faults, err)
	}
	return errors.Join(faults...)
}

// reply keeps in the thread what the edit hid, once for each new state and number of decisions.
func (b *Board) reply(ctx context.Context, at chat.Delivery, view signoff.View) error {
	if view.State == signoff.StateQuorum || view.State == signoff.StateOpen && len(view.Decided) == 0 {
		return nil // a quorum lasts for a moment: what follows it is told
	}
	name, mark := "thread/"+view.Request+"/"+at.Channel, fmt.Sprintf("%s/%d", view.State, len(view.Decided))
	last, _, err := b.db.Setting(ctx, name)
	if err != nil || last == mark {
		return err
	}
	if err := b.chat.History(ctx, at, view); err != nil && !errors.Is(err, chat.ErrUnreachable) {
		return err
	}
	return b.db.PutSetting(ctx, name, mark)
}
