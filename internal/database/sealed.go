package database

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// PutSealed seals a secret as the next version of a handle. Run is the run that it lives for; it may be empty before one exists.
func (d *DB) PutSealed(ctx context.Context, handle string, secret []byte, run string) (incident.SecretRef, error) {
	ref := incident.SecretRef{Handle: handle}
	err := d.write(ctx, fmt.Sprintf("sealing %q", handle), "sealed/"+handle, func(ctx context.Context, tx *txn) error {
		if handle == "" || len(secret) == 0 {
			return errors.New("a sealed secret needs a handle and a value")
		}
		if err := tx.QueryRowContext(ctx, `SELECT 1 + COALESCE(max(version), 0) FROM sealed WHERE handle = ?`, handle).Scan(&ref.Version); err != nil {
			return err
		}
		label := label(ref)
		plain := append(label, secret...)
		defer clear(plain)
		sealed, err := d.box.Seal(plain)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO sealed (handle, version, run, ciphertext, at) VALUES (?, ?, ?, ?, ?)`,
			handle, ref.Version, run, sealed, micros(d.now()))
		return err
	})
	if err != nil {
		return incident.SecretRef{}, err
	}
	return ref, nil
}

// label lies in front of the secret under the seal, so that a row moved to another name does not open.
func label(ref incident.SecretRef) []byte {
	b := binary.BigEndian.AppendUint64(nil, uint64(ref.Version)) //nolint:gosec // the same bits; versions count from one
	b = binary.BigEndian.AppendUint64(b, uint64(len(ref.Handle)))
	return append(b, ref.Handle...)
}

// OpenSealed gives the secret back. The caller wipes it after use and never logs or stores it.
func (d *DB) OpenSealed(ctx context.Context, ref incident.SecretRef) ([]byte, error) {
	var sealed []byte
	err := d.reader.QueryRowContext(ctx, `SELECT ciphertext FROM sealed WHERE handle = ? AND version = ?`, ref.Handle, ref.Version).Scan(&sealed)
	if err != nil {
		return nil, fmt.Errorf("opening a secret: %w", missing(err, "sealed secret", fmt.Sprintf("%s#%d", ref.Handle, ref.Version)))
	}
	if sealed == nil {
		return nil, fmt.Errorf("sealed secret %q version %d was shredded and cannot be opened any more", ref.Handle, ref.Version)
	}
	plain, err := d.box.Open(sealed)
	if err != nil {
		return nil, fmt.Errorf("sealed secret %q version %d does not open with this key ring: %w", ref.Handle, ref.Version, err)
	}
	want := label(ref)
	if len(plain) < len(want) || string(plain[:len(want)]) != string(want) {
		clear(plain)
		return nil, fmt.Errorf("sealed secret %q version %d holds the seal of another one", ref.Handle, ref.Version)
	}
	return plain[len(want):], nil
}

// BindSealed gives a secret that was sealed before its run existed to that run, so that ShredRun finds it.
func (d *DB) BindSealed(ctx context.Context, handle, run string) error {
	return d.exec(ctx, fmt.Sprintf("binding %q", handle), `UPDATE sealed SET run = ? WHERE handle = ? AND run = ''`, run, handle)
}

// Shred destroys every version of a handle. That they existed stays known, and their numbers are never used again.
func (d *DB) Shred(ctx context.Context, handle string) error {
	return d.shred(ctx, fmt.Sprintf("shredding %q", handle), `UPDATE sealed SET ciphertext = NULL, shredded_at = ?
		WHERE ciphertext IS NOT NULL AND handle = ?`, micros(d.now()), handle)
}

// ShredRun destroys the secrets of a run that were sealed before olderThan; an empty run means all, for the daily sweep.
func (d *DB) ShredRun(ctx context.Context, run string, olderThan time.Time) error {
	return d.shred(ctx, fmt.Sprintf("shredding the secrets of run %q", run), `UPDATE sealed SET ciphertext = NULL, shredded_at = ?1
		WHERE ciphertext IS NOT NULL AND (?2 = '' OR run = ?2) AND at < ?3`, micros(d.now()), run, olderThan.UnixMicro())
}

func (d *DB) shred(ctx context.Context, what, query string, args ...any) error {
	if err := d.exec(ctx, what, query, args...); err != nil {
		return err
	}
	if d.dialect.postgres {
		return nil // what its files and its own log still hold is under the seal of the key ring; docs/operate.md says for how long
	}
	// The write-ahead log still holds the old page; readers may keep it from being cut now, the next checkpoint does it then.
	if _, err := d.writer.ExecContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}
