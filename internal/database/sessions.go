package database

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// mostSessions of one person are kept; an older one ends when a newer one begins.
const mostSessions = 20

// Session is a browser that signed in. What it may do is asked anew at each request, so nothing of that is kept but what
// a sign-on service said.
type Session struct {
	Hash   string // of its cookie: what is kept opens nothing
	Person string // id; empty for who is nobody here
	Token  string // id of the personal token that opened it, if one did
	Said   Said
	At     time.Time
	Until  time.Time
}

// Said is what a sign-on service said of somebody, or that the link of a drill was used.
type Said struct {
	Subject string   `json:"subject,omitempty"`
	Name    string   `json:"name,omitempty"`
	Roles   []string `json:"roles,omitempty"`
	Link    bool     `json:"link,omitempty"`
}

// who is under what name the sessions of one human are counted and ended together.
func (s Session) who() string {
	if s.Person != "" || s.Said.Subject == "" {
		return s.Person
	}
	return "subject " + s.Said.Subject
}

// OpenSession keeps a session and forgets those that have ended.
func (d *DB) OpenSession(ctx context.Context, s Session) error {
	if s.Hash == "" || !s.Until.After(s.At) {
		return errors.New("a session needs the hash of its cookie and an end")
	}
	said, err := text(s.Said)
	if err != nil {
		return fmt.Errorf("session: %w", err)
	}
	return d.write(ctx, "session", "sessions/"+s.who(), func(ctx context.Context, tx *txn) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM sessions WHERE until <= ?`, micros(s.At)); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO sessions (hash, who, person, token, said, at, until) VALUES (?, ?, ?, ?, ?, ?, ?)`,
			s.Hash, s.who(), s.Person, s.Token, said, micros(s.At), micros(s.Until)); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM sessions WHERE who = ?1 AND hash NOT IN
			(SELECT hash FROM sessions WHERE who = ?1 ORDER BY at DESC, hash LIMIT ?2)`, s.who(), mostSessions)
		return err
	})
}

// SessionByHash finds a session that has not ended.
func (d *DB) SessionByHash(ctx context.Context, hash string, now time.Time) (s Session, found bool, err error) {
	var said []byte
	var at, until int64
	err = d.reader.QueryRowContext(ctx, `SELECT person, token, said, at, until FROM sessions WHERE hash = ? AND until > ?`, hash, micros(now)).
		Scan(&s.Person, &s.Token, &said, &at, &until)
	if errors.Is(err, sql.ErrNoRows) {
		return Session{}, false, nil
	}
	if err == nil {
		err = json.Unmarshal(said, &s.Said)
	}
	if err != nil {
		return Session{}, false, fmt.Errorf("session: %w", err)
	}
	s.Hash, s.At, s.Until = hash, time.UnixMicro(at).UTC(), time.UnixMicro(until).UTC()
	return s, true, nil
}

// CloseSession ends a session for every process; one that has ended already stays so.
func (d *DB) CloseSession(ctx context.Context, hash string) error {
	return d.exec(ctx, "session", `DELETE FROM sessions WHERE hash = ?`, hash)
}

// CloseSessionsOf ends all sessions of a person, or of a subject of the sign-on service who is nobody here, and says how many there
// were. The ledger of the house keeps who did it.
func (d *DB) CloseSessionsOf(ctx context.Context, person, by, reason string) (ended int64, err error) {
	err = d.write(ctx, fmt.Sprintf("sessions of %q", person), lockRun(HouseLedger), func(ctx context.Context, tx *txn) error {
		res, err := tx.ExecContext(ctx, `DELETE FROM sessions WHERE who = ? OR who = ?`, person, "subject "+person)
		if err != nil {
			return err
		}
		if ended, err = res.RowsAffected(); err != nil {
			return err
		}
		at := d.now().UTC()
		return appendEntries(ctx, tx, HouseLedger, []Entry{{ID: d.newID("sessions/ended/"), Kind: "sessions.ended", Actor: by, At: at,
			Body: map[string]any{"person": person, "sessions": ended, "reason": reason}}})
	})
	return ended, err
}
