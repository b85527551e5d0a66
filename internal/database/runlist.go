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
	w := f.where()
	// The inner query is answered from an index alone; only a page's records are read.
	out, err := list(ctx, d.reader, doc[incident.Run], `SELECT doc FROM runs WHERE n IN
		(SELECT n FROM runs`+w.text()+` ORDER BY n DESC LIMIT ?) ORDER BY n DESC`, append(w.args, atMost(f.Limit))...)
	if err != nil {
		return nil, fmt.Errorf("runs: %w", err)
	}
	return out, nil
}

func (f Filter) where() where {
	var w where
	w.add(f.Incident != "", "incident = ?", f.Incident)
	w.add(f.State != "", "state = ?", f.State)
	w.add(f.Outcome != "", "outcome = ?", f.Outcome)
	w.add(f.Provider != "", "provider = ?", f.Provider)
	w.add(!f.Since.IsZero(), "started_at >= ?", f.Since.UnixMicro())
	w.add(!f.Until.IsZero(), "started_at < ?", f.Until.UnixMicro())
	w.add(f.Text != "", "instr(words, ?) > 0", strings.ToLower(f.Text))
	w.add(f.Before != "", "n < (SELECT n FROM runs WHERE id = ?)", f.Before)
	return w
}
