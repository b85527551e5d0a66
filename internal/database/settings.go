package database

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
)

const (
	settingInstallation = "installation"
	settingRing         = "ring_check"
	settingRingHash     = "ring_hash_check"
	ringPlain           = "tourniquet ring check v1"
)

// Installation is the random id of this database, made once.
func (d *DB) Installation(ctx context.Context) (string, error) {
	var id string
	err := d.write(ctx, "installation id", lockSettings, func(ctx context.Context, tx *txn) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING`,
			settingInstallation, d.newID("tq-")); err != nil {
			return err
		}
		return tx.QueryRowContext(ctx, `SELECT value FROM settings WHERE name = ?`, settingInstallation).Scan(&id)
	})
	return id, err
}

// Setting reads one named value; found is false where it was never put.
func (d *DB) Setting(ctx context.Context, name string) (value string, found bool, err error) {
	err = d.reader.QueryRowContext(ctx, `SELECT value FROM settings WHERE name = ?`, name).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		return "", false, nil
	}
	if err != nil {
		return "", false, fmt.Errorf("setting %q: %w", name, err)
	}
	return value, true, nil
}

// PutSetting keeps one named value. The names of the installation and of the ring check are taken.
func (d *DB) PutSetting(ctx context.Context, name, value string) error {
	switch name {
	case settingInstallation, settingRing, settingRingHash, settingHome, settingRestored, settingMovedTo, settingMovedFrom:
		return fmt.Errorf("setting %q belongs to the database itself", name)
	}
	return d.exec(ctx, fmt.Sprintf("setting %q", name),
		`INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`, name, value)
}

// KeepSetting puts a value where none stands and returns the one that stands then: the first one stays.
func (d *DB) KeepSetting(ctx context.Context, name, value string) (kept string, err error) {
	if kept, found, err := d.Setting(ctx, name); err != nil || found {
		return kept, err
	}
	err = d.write(ctx, fmt.Sprintf("setting %q", name), lockSettings, func(ctx context.Context, tx *txn) error {
		if err := keepSetting(ctx, tx, name, value); err != nil {
			return err
		}
		return tx.QueryRowContext(ctx, `SELECT value FROM settings WHERE name = ?`, name).Scan(&kept)
	})
	return kept, err
}

func keepSetting(ctx context.Context, tx *txn, name, value string) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING`, name, value)
	return err
}

// CheckRing refuses a key ring that did not seal what is already in this database. The first call decides which one that is.
func (d *DB) CheckRing(ctx context.Context) error {
	sealed, err := d.box.Seal([]byte(ringPlain))
	if err != nil {
		return fmt.Errorf("the key ring cannot seal: %w", err)
	}
	hash := d.box.KeyedHash([]byte(ringPlain))
	var kept, keptHash string
	err = d.write(ctx, "key ring check", lockSettings, func(ctx context.Context, tx *txn) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO settings (name, value) VALUES (?, ?), (?, ?) ON CONFLICT (name) DO NOTHING`, settingRing,
			base64.StdEncoding.EncodeToString(sealed), settingRingHash, hash); err != nil {
			return err
		}
		if err := tx.QueryRowContext(ctx, `SELECT value FROM settings WHERE name = ?`, settingRing).Scan(&kept); err != nil {
			return err
		}
		return tx.QueryRowContext(ctx, `SELECT value FROM settings WHERE name = ?`, settingRingHash).Scan(&keptHash)
	})
	if err != nil {
		return err
	}
	if err := d.opens(kept, keptHash, hash); err != nil {
		return err
	}
	// Sealed anew, the check follows the active key, so that an old key may leave the ring one day.
	return d.exec(ctx, "key ring check", `UPDATE settings SET value = ? WHERE name = ?`,
		base64.StdEncoding.EncodeToString(sealed), settingRing)
}

// opens tells whether our ring made the check that is kept.
func (d *DB) opens(kept, keptHash, hash string) error {
	raw, err := base64.StdEncoding.DecodeString(kept)
	if err != nil {
		return fmt.Errorf("the ring check kept in database %q is not readable: %w", d.path, err)
	}
	plain, err := d.box.Open(raw)
	if err != nil || !bytes.Equal(plain, []byte(ringPlain)) || keptHash != hash {
		return fmt.Errorf("database %q was sealed with another key ring: start with the key file that was in use when it was"+
			" made, or restore that file from its backup", d.path)
	}
	return nil
}

// sealedBy is CheckRing without writing; a database that was never sealed by anybody fits every ring.
func (d *DB) sealedBy(ctx context.Context) error {
	kept, found, err := d.Setting(ctx, settingRing)
	if err != nil || !found {
		return err
	}
	keptHash, _, err := d.Setting(ctx, settingRingHash)
	if err != nil {
		return err
	}
	return d.opens(kept, keptHash, d.box.KeyedHash([]byte(ringPlain)))
}

// SetHold stops (on) or resumes all automatic actions. Every change is kept.
func (d *DB) SetHold(ctx context.Context, on bool, who, reason string) error {
	return d.exec(ctx, "hold", `INSERT INTO holds (on_hold, who, reason, at) VALUES (?, ?, ?, ?)`,
		on, who, reason, micros(d.now()))
}

// Hold says whether automatic actions are stopped, and who said so last.
func (d *DB) Hold(ctx context.Context) (on bool, who, reason string, err error) {
	err = d.reader.QueryRowContext(ctx, `SELECT on_hold, who, reason FROM holds ORDER BY n DESC LIMIT 1`).Scan(&on, &who, &reason)
	if errors.Is(err, sql.ErrNoRows) {
		return false, "", "", nil
	}
	if err != nil {
		return true, "", "", fmt.Errorf("hold: %w", err) // unknown is on: a caller that looks at the flag alone stays safe
	}
	return on, who, reason, nil
}
