package database

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// Filter narrows a list of runs; an empty field lets everything through. Before is the id of the last run of the page before.
type Filter struct {
	Incident string
	State    string
	Outcome  string
	Provider string
	Text     string    // part of an id, playbook, key, owner or outcome, in any case
	Since    time.Time // started at or after
	Until    time.Time // started before
	Before   string
	Limit    int
}

// Runs lists runs, newest first.
func (d *DB) Runs(ctx context.Context, f Filter) ([]incident.Run, error) {
	where, args := f.where()
	// The inner query is answered from an index alone; only a page's records are read.
	out, err := list(ctx, d.reader, doc[incident.Run], `SELECT doc FROM runs WHERE n IN
		(SELECT n FROM runs`+where+` ORDER BY n DESC LIMIT ?) ORDER BY n DESC`, append(args, atMost(f.Limit))...)
	if err != nil {
		return nil, fmt.Errorf("runs: %w", err)
	}
	return out, nil
}

// where names only the conditions that there are: with the others in it, no index could be used.
func (f Filter) where() (text string, args []any) {
	var parts []string
	add := func(given bool, condition string, arg any) {
		if given {
			parts, args = append(parts, condition), append(args, arg)
		}
	}
	add(f.Incident != "", "incident = ?", f.Incident)
	add(f.State != "", "state = ?", f.State)
	add(f.Outcome != "", "outcome = ?", f.Outcome)
	add(f.Provider != "", "provider = ?", f.Provider)
	add(!f.Since.IsZero(), "started_at >= ?", f.Since.UnixMicro())
	add(!f.Until.IsZero(), "started_at < ?", f.Until.UnixMicro())
	add(f.Text != "", "instr(words, ?) > 0", strings.ToLower(f.Text))
	add(f.Before != "", "n < (SELECT n FROM runs WHERE id = ?)", f.Before)
	if len(parts) == 0 {
		return "", nil
	}
	return " WHERE " + strings.Join(parts, " AND "), args
}
