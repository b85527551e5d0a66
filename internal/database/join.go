package database

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// joinedTo stands before the other incident in the outcome of one that was joined.
const joinedTo = incident.OutcomeJoined + " "

// JoinIncidents gives an open incident more aliases. Where one of them leads to another open incident, the two are one case: the
// other one's alerts come here when nobody answers for it; when a run does, ours go there, our incident ends, and the answer
// names the other. Alerts that move are dispatched again, so that the run they come to is told of them. Repeats are harmless.
func (d *DB) JoinIncidents(ctx context.Context, mine string, aliases []Alias) (other string, err error) {
	if d.leadHere(ctx, mine, aliases) {
		return "", nil
	}
	err = d.write(ctx, fmt.Sprintf("aliases of incident %q", mine), lockCases, func(ctx context.Context, tx *txn) error {
		var outcome string
		if err := tx.QueryRowContext(ctx, `SELECT outcome FROM incidents WHERE id = ?`, mine).Scan(&outcome); err != nil {
			return missing(err, "incident", mine)
		}
		if to, done := strings.CutPrefix(outcome, joinedTo); done {
			other = to
			return nil
		}
		if err := mustBeOpen(ctx, tx, mine); err != nil {
			return err
		}
		here := mine
		for _, a := range aliases {
			owner, err := aliasOwner(ctx, tx, a)
			if err != nil {
				return err
			}
			if owner != "" && owner != here {
				if here, err = d.join(ctx, tx, here, owner); err != nil {
					return err
				}
			}
			if err := takeAlias(ctx, tx, here, a); err != nil {
				return err
			}
		}
		if here != mine {
			other = here
		}
		return nil
	})
	return other, err
}

// leadHere reports that an open incident has all of these aliases, as one whose alert named the key by its id does: then there is
// nothing to write, and nothing to wait for. When in doubt it says no.
func (d *DB) leadHere(ctx context.Context, mine string, aliases []Alias) bool {
	if mustBeOpen(ctx, d.reader, mine) != nil {
		return false
	}
	return !slices.ContainsFunc(aliases, func(a Alias) bool {
		owner, err := aliasOwner(ctx, d.reader, a)
		return err != nil || owner != mine
	})
}

// join makes one of two open incidents and says which: the one that a run answers for, ours when nobody answers for the other.
func (d *DB) join(ctx context.Context, tx *txn, mine, owner string) (into string, err error) {
	var answered int
	if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM runs WHERE incident = ? AND state <> 'done'`, owner).Scan(&answered); err != nil {
		return "", err
	}
	from, into := owner, mine
	if answered > 0 {
		from, into = mine, owner
	}
	for _, stmt := range []struct {
		query string
		args  []any
	}{
		{`UPDATE alerts SET incident = ?, dispatched = 0, is_read = 0, fate = ?, reason = '', run = '' WHERE incident = ?`, []any{into, incident.FateStored, from}},
		{`UPDATE aliases SET incident = ? WHERE incident = ? AND released = 0`, []any{into, from}},
		{`UPDATE incidents SET closed_at = ?, outcome = ? WHERE id = ?`, []any{micros(d.now()), joinedTo + into, from}},
	} {
		if _, err := tx.ExecContext(ctx, stmt.query, stmt.args...); err != nil {
			return "", err
		}
	}
	return into, nil
}
