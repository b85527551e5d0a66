package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// Kinds of alias.
const (
	AliasID   = "id"   // the provider's id of the key
	AliasHash = "hash" // keyed hash of the secret
)

// Alias is an exact name of a key. While an incident is open, each of its aliases leads to it alone. A weak one is a
// source's own name of the matter: it leads to an incident only where nothing else names the key.
type Alias struct {
	Provider, Kind, Value string
	Weak                  bool
}

func (a Alias) check() error {
	if (a.Kind != AliasID && a.Kind != AliasHash) || a.Value == "" {
		return fmt.Errorf("alias %q of provider %q: the kind is %q or %q and the value not empty", a.Kind, a.Provider, AliasID, AliasHash)
	}
	return nil
}

// claim finds the oldest open incident that one of the aliases leads to, or opens one, and gives it the free aliases.
func (d *DB) claim(ctx context.Context, tx *txn, aliases []Alias) (id string, opened bool, err error) {
	var free []Alias
	named := slices.ContainsFunc(aliases, func(a Alias) bool { return !a.Weak })
	for _, a := range aliases {
		owner, err := aliasOwner(ctx, tx, a)
		if err != nil {
			return "", false, err
		}
		if owner == "" {
			free = append(free, a)
		}
		if owner != "" && (!a.Weak || !named) && (id == "" || owner < id) { // ids sort by time
			id = owner
		}
	}
	if id == "" {
		id, opened = d.newID("inc-"), true
		if _, err := tx.ExecContext(ctx, `INSERT INTO incidents (id, opened_at) VALUES (?, ?)`, id, micros(d.now())); err != nil {
			return "", false, err
		}
	}
	for _, a := range free {
		if err := takeAlias(ctx, tx, id, a); err != nil {
			return "", false, err
		}
	}
	return id, opened, nil
}

func aliasOwner(ctx context.Context, q querier, a Alias) (string, error) {
	if err := a.check(); err != nil {
		return "", err
	}
	var owner string
	err := q.QueryRowContext(ctx, `SELECT incident FROM aliases WHERE provider = ? AND kind = ? AND value = ? AND released = 0`,
		a.Provider, a.Kind, short(a.Value)).Scan(&owner)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return owner, err
}

func takeAlias(ctx context.Context, tx *txn, id string, a Alias) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO aliases (provider, kind, value, incident) VALUES (?, ?, ?, ?)
		ON CONFLICT (provider, kind, value) WHERE released = 0 DO NOTHING`, a.Provider, a.Kind, short(a.Value), id)
	return err
}

// OpenIncident opens an incident that no alert asked for (a run started by hand), or finds the open one of these aliases.
func (d *DB) OpenIncident(ctx context.Context, aliases []Alias) (id string, opened bool, err error) {
	err = d.write(ctx, "opening an incident", lockCases, func(ctx context.Context, tx *txn) error {
		var err error
		id, opened, err = d.claim(ctx, tx, aliases)
		return err
	})
	return id, opened, err
}

func mustBeOpen(ctx context.Context, q querier, id string) error {
	var closed sql.NullInt64
	if err := q.QueryRowContext(ctx, `SELECT closed_at FROM incidents WHERE id = ?`, id).Scan(&closed); err != nil {
		return missing(err, "incident", id)
	}
	if closed.Valid {
		return fmt.Errorf("incident %q is already closed", id)
	}
	return nil
}

// CloseIncident closes an incident and frees its aliases, unless one of its alerts is unread or not dispatched: then closed is
// false and the run has something left to read. Closing twice is harmless.
func (d *DB) CloseIncident(ctx context.Context, id, outcome string) (closed bool, err error) {
	err = d.write(ctx, fmt.Sprintf("closing incident %q", id), lockCases, func(ctx context.Context, tx *txn) error {
		var at sql.NullInt64
		if err := tx.QueryRowContext(ctx, `SELECT closed_at FROM incidents WHERE id = ?`, id).Scan(&at); err != nil {
			return missing(err, "incident", id)
		}
		if at.Valid {
			closed = true
			return nil
		}
		var waiting int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM alerts WHERE incident = ? AND (is_read = 0 OR dispatched = 0)`,
			id).Scan(&waiting); err != nil || waiting > 0 {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE aliases SET released = 1 WHERE incident = ?`, id); err != nil {
			return err
		}
		closed = true
		_, err := tx.ExecContext(ctx, `UPDATE incidents SET closed_at = ?, outcome = ? WHERE id = ?`, micros(d.now()), outcome, id)
		return err
	})
	return closed && err == nil, err
}

// OpenRunOf is the newest run of an incident that is not done.
func (d *DB) OpenRunOf(ctx context.Context, incidentID string) (incident.Run, bool, error) {
	r, err := doc[incident.Run](d.reader.QueryRowContext(ctx,
		`SELECT doc FROM runs WHERE incident = ? AND state <> 'done' ORDER BY n DESC LIMIT 1`, incidentID))
	if errors.Is(err, sql.ErrNoRows) {
		return incident.Run{}, false, nil
	}
	if err != nil {
		return incident.Run{}, false, fmt.Errorf("open run of incident %q: %w", incidentID, err)
	}
	return r, true, nil
}
