package activities

import (
	"context"
	"fmt"
	"strings"

	"go.temporal.io/sdk/activity"

	"github.com/tourniquet-ir/tourniquet/integrations/chat"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/report"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
)

// postTries is how often the ticket is tried; then the run ends without, and its report says so.
const postTries = 5

// postReport puts the report of a closed run where the incident is talked about: into its ticket, and into chat. The ticket
// is tried again when it does not take it; chat is a courtesy. Either is written down.
func (h *House) postReport(ctx context.Context, c wire.Close) error {
	if c.Outcome == incident.OutcomeJoined {
		return nil
	}
	p, err := h.brief(ctx, c.Run)
	if err != nil {
		return err
	}
	if h.Console != "" {
		p.Lines = append(p.Lines, "All of it: "+h.Console+"/v1/runs/"+c.Run+"/report?format=html")
	}
	ticket, err := h.commentReport(ctx, c, p.Lines)
	return h.posted(ctx, c, p, ticket, err, int(activity.GetInfo(ctx).Attempt))
}

// posted writes down what became of the ticket at this try, and tells chat.
func (h *House) posted(ctx context.Context, c wire.Close, p report.Posting, ticket string, cause error, try int) error {
	if cause != nil && try < postTries {
		return fmt.Errorf("the report did not reach the incident's ticket yet: %w", cause)
	}
	h.Metrics.Avoided(p.Avoided)
	told := h.tellEnd(ctx, c, p.Lines)
	switch {
	case cause != nil:
		h.ledger(ctx, c.Run, report.KindNotPosted, "", "report/not_posted", map[string]any{"ticket": ticket, "chat": told, "why": cause.Error()})
	case ticket != "" || told:
		h.ledger(ctx, c.Run, report.KindPosted, "", "report/posted", map[string]any{"ticket": ticket, "chat": told})
	}
	return nil
}

func (h *House) brief(ctx context.Context, run string) (report.Posting, error) {
	if h.Brief == nil {
		return report.Posting{}, nil
	}
	return h.Brief(ctx, run)
}

// commentReport is empty where there is no ticket.
func (h *House) commentReport(ctx context.Context, c wire.Close, lines []string) (ticket string, err error) {
	id, opened, err := h.DB.Setting(ctx, "ticket/"+c.Incident)
	if err != nil || !opened || h.Tracker == nil {
		return "", err
	}
	return id, h.Tracker.Comment(ctx, id, c.Run+"/report", strings.Join(lines, "\n\n"))
}

// tellEnd is a courtesy: the records hold the truth, so chat that is away costs nothing.
func (h *House) tellEnd(ctx context.Context, c wire.Close, lines []string) bool {
	if h.Chat == nil {
		return false
	}
	lines = append([]string{"Incident " + c.Incident + ", run " + c.Run}, lines...)
	if c.Why != "" {
		lines = append(lines, c.Why)
	}
	if _, err := h.Chat.Tell(ctx, chat.Note{Title: "Run ended: " + c.Outcome, Lines: lines}); err != nil {
		h.Log.Warn("chat was not told about the end of a run", "run", c.Run, "error", err)
		return false
	}
	return true
}
