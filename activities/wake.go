package activities

import (
	"context"
	"encoding/json"
	"slices"
)

// wake pages people about a request, a question or a run, and remembers which pages are about it, so that they are quieted
// when somebody has it in hand.
func (h *House) wake(ctx context.Context, about, dedup, text string, members []string) error {
	if err := h.Pager.Page(ctx, dedup, text, members); err != nil {
		return err
	}
	pages, err := h.pages(ctx, about)
	if err != nil || slices.Contains(pages, dedup) {
		return err
	}
	raw, err := json.Marshal(append(pages, dedup))
	if err != nil {
		return err
	}
	return h.DB.PutSetting(ctx, "paged/"+about, string(raw))
}

func (h *House) pages(ctx context.Context, about string) (pages []string, err error) {
	text, found, err := h.DB.Setting(ctx, "paged/"+about)
	if err == nil && found && text != "" {
		err = json.Unmarshal([]byte(text), &pages)
	}
	return pages, err
}

// quiet tells the pager of what became of everything that was paged about: somebody has it, or it is over. What cannot be
// told is said in the log: nobody's decision waits for a pager.
func (h *House) quiet(ctx context.Context, about string, over bool) {
	if h.Pager == nil {
		return
	}
	pages, err := h.pages(ctx, about)
	for _, dedup := range pages {
		if over {
			err = h.Pager.Resolve(ctx, dedup)
		} else {
			err = h.Pager.Acknowledge(ctx, dedup)
		}
		if err != nil {
			break
		}
	}
	if err == nil && over && len(pages) > 0 {
		err = h.DB.PutSetting(ctx, "paged/"+about, "")
	}
	if err != nil {
		h.Log.Warn("a page could not be quieted", "about", about, "error", err)
	}
}
