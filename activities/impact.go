package activities

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
)

// impact is what a person needs to weigh: who depends on the key and how they fare, what is in force already and can be taken
// back, how far the calls are felt, and the money. All of it is from the inventory and from receipts.
func (h *House) impact(ctx context.Context, ask wire.Freeze, view *signoff.View) {
	if ask.Key != nil {
		view.Impact = append(view.Impact, h.dependents(ctx, ask))
		view.Impact = append(view.Impact, h.abuse(ctx, ask.Run)...)
		if ask.Key.Critical {
			view.Impact = append(view.Impact, "the inventory calls this key critical")
		}
		view.Spent, view.Waiting = h.money(ctx, *ask.Key, ask.Alert)
	}
	for _, c := range view.Envelope.Calls {
		if c.Reach != "" && c.Reach != "key" {
			view.Impact = append(view.Impact, fmt.Sprintf("%s is felt by everything in the same %s", c.Action, c.Reach))
		}
	}
	undos, err := h.DB.Undos(ctx, ask.Run)
	if err != nil {
		view.Impact = append(view.Impact, "what is in force could not be read")
	}
	for _, u := range undos {
		if u.InForce() {
			view.Impact = append(view.Impact, fmt.Sprintf("in force, and can be taken back: %s on %s", u.Action, u.Target))
		}
	}
}

// dependents counts how the users of the key fare, by the last check of each.
func (h *House) dependents(ctx context.Context, ask wire.Freeze) string {
	all := len(ask.Key.Dependents)
	steps, err := h.DB.Steps(ctx, ask.Run)
	if err != nil {
		return fmt.Sprintf("%s the key; how they fare could not be read", use(all))
	}
	healthy, ill := 0, 0
	for _, s := range steps {
		var out struct{ Healthy bool }
		switch {
		case s.Action != "dependent.check" || s.Status != "done":
		case json.Unmarshal(s.Outputs, &out) == nil && out.Healthy:
			healthy++
		default:
			ill++
		}
	}
	if healthy+ill == 0 {
		return fmt.Sprintf("%s the key; none has been checked yet", use(all))
	}
	words := fmt.Sprintf("%d of %d dependents healthy", healthy, max(all, healthy+ill))
	if ill > 0 {
		words += fmt.Sprintf(", %d not", ill)
	}
	if left := all - healthy - ill; left > 0 {
		words += fmt.Sprintf(", %d not checked", left)
	}
	return words
}

// abuse is what the last snapshot of this run says of the key's use, and its dearest line.
func (h *House) abuse(ctx context.Context, run string) []string {
	steps, err := h.DB.Steps(ctx, run)
	if err != nil {
		return nil
	}
	for _, s := range slices.Backward(steps) {
		var out struct {
			Summary    string    `json:"summary"`
			FirstAbuse time.Time `json:"first_abuse"`
			Table      []string  `json:"table"`
		}
		if s.Action != "usage.snapshot" || s.Status != "done" || json.Unmarshal(s.Outputs, &out) != nil {
			continue
		}
		lines := []string{"use of the key: " + out.Summary}
		if !out.FirstAbuse.IsZero() {
			lines[0] += "; the first call that does not fit was at " + out.FirstAbuse.UTC().Format("2006-01-02 15:04:05 UTC")
		}
		if len(out.Table) > 0 {
			lines = append(lines, "most of it: "+out.Table[0])
		}
		return lines
	}
	return nil
}

func use(n int) string {
	switch n {
	case 0:
		return "no known dependent uses"
	case 1:
		return "1 dependent uses"
	}
	return fmt.Sprintf("%d dependents use", n)
}
