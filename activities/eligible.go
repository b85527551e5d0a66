package activities

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
)

const (
	// eligibleFor is how old a look at a group may be when a call is made.
	eligibleFor = time.Minute
	// lookedFor is how long the look before the first call of a grant is believed. What it saw may be half a minute old itself.
	lookedFor = 30 * time.Second
)

// recheckSignoff looks at the people of a quorum once more, before anything runs; the answer is why they do not count any
// more. An error means that nobody could look: that never approves and never denies.
func (h *House) recheckSignoff(ctx context.Context, s wire.Settle) (string, error) {
	if err := h.mine(ctx, s.Run); err != nil {
		return "", err
	}
	why, err := h.requestRestored(ctx, s.Request)
	if err == nil && why == "" {
		why, err = h.gone(ctx, s.Decisions)
	}
	if err != nil {
		return "", waiting(err)
	}
	if why != "" {
		h.ledger(ctx, s.Run, "signoff.drifted", "", "drifted/"+s.Request, map[string]any{"request": s.Request, "why": why})
		return why, nil
	}
	return "", h.DB.PutSetting(ctx, looked(s.Request, s.Decisions), h.Now().UTC().Format(time.RFC3339Nano))
}

// stillEligible is the same look in the action itself, once per grant: it believes the look that was just written down
// for exactly these decisions, and a call of this grant that has begun already.
func (h *House) stillEligible(ctx context.Context, g signoff.Grant, rows []database.CallRow) error {
	if slices.ContainsFunc(rows, func(r database.CallRow) bool { return r.Request == g.Request }) {
		return nil
	}
	name := looked(g.Request, g.Decisions)
	text, found, err := h.DB.Setting(ctx, name)
	if err != nil {
		return err
	}
	if at, bad := time.Parse(time.RFC3339Nano, text); found && bad == nil && h.Now().Sub(at) < lookedFor {
		return nil
	}
	why, err := h.gone(ctx, g.Decisions)
	switch {
	case err != nil:
		return waiting(err)
	case why != "":
		return refuse(wire.ErrDrifted, why)
	}
	return h.DB.PutSetting(ctx, name, h.Now().UTC().Format(time.RFC3339Nano))
}

// waiting is an error after which nothing was sent: the call is tried again until the approval lapses.
func waiting(err error) error {
	return retryable(wire.ErrWait, fmt.Sprintf("whether the people who approved still may could not be checked: %s", err))
}

// looked names the look at the people of these decisions, so that one look never stands for other people.
func looked(request string, decisions []signoff.Decision) string {
	sum := sha256.New()
	for _, d := range decisions {
		_, _ = fmt.Fprintf(sum, "%s\n", d.Sig) // a hash takes everything
	}
	return "looked/" + request + "/" + hex.EncodeToString(sum.Sum(nil)[:12])
}

// gone says of the first person whose approval does not count any more why that is.
func (h *House) gone(ctx context.Context, decisions []signoff.Decision) (string, error) {
	for _, d := range decisions {
		if d.Verb != signoff.Approve {
			continue
		}
		why, err := h.People.MayDecide(ctx, d.Person)
		if err == nil && why == "" {
			why, err = h.leftGroups(ctx, d)
		}
		if err != nil {
			return "", err
		}
		if why != "" {
			return fmt.Sprintf("%s approved, but since then: %s", d.Person, why), nil
		}
	}
	return "", nil
}

func (h *House) leftGroups(ctx context.Context, d signoff.Decision) (string, error) {
	for _, g := range d.Groups {
		members, seen, err := h.People.Members(ctx, g)
		if err != nil {
			return "", fmt.Errorf("the members of %q could not be read: %w", g, err)
		}
		if h.Now().Sub(seen) > eligibleFor {
			return "", fmt.Errorf("the members of %q were last read at %s, which is too old", g, seen.UTC().Format(time.TimeOnly))
		}
		if !slices.Contains(members, d.Person) {
			return fmt.Sprintf("is no longer a member of %q", g), nil
		}
	}
	return "", nil
}
