package database

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// Silence keeps alerts that its condition fits from starting runs, for a while. It is never deleted.
type Silence struct {
	ID        string    `json:"id"`
	Owner     string    `json:"owner"`
	Reason    string    `json:"reason"`
	If        string    `json:"if"`
	From      time.Time `json:"from"`
	Until     time.Time `json:"until"`
	At        time.Time `json:"at"` // when it was added
	ExpiredBy string    `json:"expired_by,omitempty"`
	Hidden    int       `json:"hidden"` // alerts so far
}

const silenceColumns = `SELECT id, owner, reason, condition, from_at, until_at, at, expired_by, (SELECT count(*) FROM silenced WHERE silence = silences.id) FROM silences`

// AddSilence keeps a new silence under a fresh id.
func (d *DB) AddSilence(ctx context.Context, s Silence) (Silence, error) {
	s.ID, s.At = d.newID("si-"), d.now().UTC()
	return s, d.exec(ctx, "adding a silence", `INSERT INTO silences (id, owner, reason, condition, from_at, until_at, at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		s.ID, s.Owner, s.Reason, s.If, micros(s.From), micros(s.Until), micros(s.At))
}

// ExpireSilence ends a silence now. One that has ended already stays as it was.
func (d *DB) ExpireSilence(ctx context.Context, id, by string, at time.Time) error {
	return d.write(ctx, fmt.Sprintf("expiring silence %q", id), "silence/"+id, func(ctx context.Context, tx *txn) error {
		var until int64
		if err := tx.QueryRowContext(ctx, `SELECT until_at FROM silences WHERE id = ?`, id).Scan(&until); err != nil {
			return missing(err, "silence", id)
		}
		if until <= at.UnixMicro() {
			return nil
		}
		_, err := tx.ExecContext(ctx, `UPDATE silences SET until_at = ?, expired_by = ? WHERE id = ?`, micros(at), by, id)
		return err
	})
}

// SilencesAt lists those in force at a time, oldest first.
func (d *DB) SilencesAt(ctx context.Context, at time.Time) ([]Silence, error) {
	out, err := list(ctx, d.reader, scanSilence, silenceColumns+` WHERE from_at <= ?1 AND until_at > ?1 ORDER BY n`, at.UnixMicro())
	if err != nil {
		return nil, fmt.Errorf("silences: %w", err)
	}
	return out, nil
}

// Silences lists the newest, those to come and those that ended too.
func (d *DB) Silences(ctx context.Context, limit int) ([]Silence, error) {
	out, err := list(ctx, d.reader, scanSilence, silenceColumns+` ORDER BY n DESC LIMIT ?`, atMost(limit))
	if err != nil {
		return nil, fmt.Errorf("silences: %w", err)
	}
	return out, nil
}

// NoteSilenced counts an alert that a silence hid; a repeat changes nothing.
func (d *DB) NoteSilenced(ctx context.Context, silence, alert string) error {
	return d.exec(ctx, fmt.Sprintf("silence %q", silence), `INSERT INTO silenced (alert, silence) VALUES (?, ?) ON CONFLICT (alert) DO NOTHING`, alert, silence)
}

// AlertsSince lists alerts that came at or after a time, newest first.
func (d *DB) AlertsSince(ctx context.Context, at time.Time, limit int) ([]Received, error) {
	out, err := list(ctx, d.reader, scanReceived, `SELECT alert, fate, reason, incident, run FROM alerts WHERE received_at >= ? ORDER BY n DESC LIMIT ?`,
		at.UnixMicro(), limit)
	if err != nil {
		return nil, fmt.Errorf("alerts since: %w", err)
	}
	return out, nil
}

func scanSilence(s scanner) (Silence, error) {
	var x Silence
	var from, until, at sql.NullInt64
	err := s.Scan(&x.ID, &x.Owner, &x.Reason, &x.If, &from, &until, &at, &x.ExpiredBy, &x.Hidden)
	x.From, x.Until, x.At = moment(from), moment(until), moment(at)
	return x, err
}
