package database

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"
)

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
