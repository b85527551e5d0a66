package database

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"time"
)

// PutToken keeps the hash of a personal token. Nobody issues one to themselves: one shell must never be two people.
func (d *DB) PutToken(ctx context.Context, person, tokenHash, issuedBy string) error {
	switch {
	case person == "" || tokenHash == "":
		return errors.New("a personal token needs a person and a hash")
	case person == issuedBy:
		return fmt.Errorf("person %q cannot issue a token to themselves: somebody else has to", person)
	}
	return d.exec(ctx, fmt.Sprintf("token of person %q", person),
		`INSERT INTO tokens (hash, person, issued_by, at) VALUES (?, ?, ?, ?)`, tokenHash, person, issuedBy, micros(d.now()))
}

// PersonByToken says whose token has this hash.
func (d *DB) PersonByToken(ctx context.Context, hash string) (person string, found bool, err error) {
	err = d.reader.QueryRowContext(ctx, `SELECT person FROM tokens WHERE hash = ?`, hash).Scan(&person)
	if errors.Is(err, sql.ErrNoRows) {
		return "", false, nil
	}
	if err != nil {
		return "", false, fmt.Errorf("person of a token: %w", err)
	}
	return person, true, nil
}

// SeenBefore remembers a key until the given time and reports whether it was remembered already. Only a hash of it is kept.
func (d *DB) SeenBefore(ctx context.Context, key string, until time.Time) (bool, error) {
	sum := sha256.Sum256([]byte(key))
	before := false
	err := d.write(ctx, "replay cache", lockSeen, func(ctx context.Context, tx *txn) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM seen WHERE until < ?`, micros(d.now())); err != nil {
			return err
		}
		res, err := tx.ExecContext(ctx, `INSERT INTO seen (key, until) VALUES (?, ?) ON CONFLICT (key) DO NOTHING`,
			hex.EncodeToString(sum[:]), until.UnixMicro())
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		before = n == 0
		return err
	})
	return before || err != nil, err // unknown is seen: a caller that looks at the flag alone stays safe
}
