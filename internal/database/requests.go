package database

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

// PutRequest keeps a sign-off request as it was frozen; a repeat with the same id changes nothing.
func (d *DB) PutRequest(ctx context.Context, v signoff.View) error {
	body, err := text(v)
	if err != nil {
		return fmt.Errorf("request %q: %w", v.Request, err)
	}
	return d.exec(ctx, fmt.Sprintf("request %q", v.Request), `INSERT INTO requests (id, run, state, digest, doc) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (id) DO NOTHING`, v.Request, v.Envelope.Run, v.State, v.Digest, body)
}

// Request reads one sign-off request.
func (d *DB) Request(ctx context.Context, id string) (signoff.View, error) {
	v, err := doc[signoff.View](d.reader.QueryRowContext(ctx, `SELECT doc FROM requests WHERE id = ?`, id))
	if err != nil {
		return v, fmt.Errorf("sign-off: %w", missing(err, "request", id))
	}
	return v, nil
}

// Requests lists sign-off requests, oldest first; an empty run means all. Open ones wait for people or for execution.
func (d *DB) Requests(ctx context.Context, run string, onlyOpen bool) ([]signoff.View, error) {
	return d.requests(ctx, AskedFilter{Run: run, Open: onlyOpen})
}

// RequestsPage is one page of Requests.
func (d *DB) RequestsPage(ctx context.Context, f AskedFilter) ([]signoff.View, error) {
	f.Limit = atMost(f.Limit)
	return d.requests(ctx, f)
}

func (d *DB) requests(ctx context.Context, f AskedFilter) ([]signoff.View, error) {
	query, args := f.query("requests", "state IN (?, ?)", signoff.StateOpen, signoff.StateQuorum)
	out, err := list(ctx, d.reader, doc[signoff.View], query, args...)
	if err != nil {
		return nil, fmt.Errorf("sign-offs: %w", err)
	}
	return out, nil
}

// LatestRequests lists the newest sign-off requests of all runs, newest first, whatever became of them.
func (d *DB) LatestRequests(ctx context.Context, limit int) ([]signoff.View, error) {
	out, err := list(ctx, d.reader, doc[signoff.View], `SELECT doc FROM requests ORDER BY n DESC LIMIT ?`, atMost(limit))
	if err != nil {
		return nil, fmt.Errorf("sign-offs: %w", err)
	}
	return out, nil
}

// SetRequest changes a request in one transaction; an error from change leaves it as it was. What was frozen (run, envelope
// and digest) cannot be changed.
func (d *DB) SetRequest(ctx context.Context, id string, change func(*signoff.View) error) error {
	return d.write(ctx, fmt.Sprintf("request %q", id), "request/"+id, func(ctx context.Context, tx *txn) error {
		v, err := doc[signoff.View](tx.QueryRowContext(ctx, `SELECT doc FROM requests WHERE id = ?`, id))
		if err != nil {
			return missing(err, "request", id)
		}
		was, err := text(v.Envelope)
		if err != nil {
			return err
		}
		digest := v.Digest
		if err := change(&v); err != nil {
			return err
		}
		now, err := text(v.Envelope)
		if err != nil {
			return err
		}
		if now != was || v.Digest != digest || v.Request != id {
			return errors.New("the envelope and its digest are frozen: only what people see around them may change")
		}
		body, err := text(v)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE requests SET state = ?, doc = ? WHERE id = ?`, v.State, body, id)
		return err
	})
}

// Attempt is one try to decide or answer, accepted or refused. Request is the id of a sign-off or of a question.
type Attempt struct {
	Request  string          `json:"request"`
	Person   string          `json:"person"`
	Verb     string          `json:"verb"`
	Surface  string          `json:"surface"`
	Accepted bool            `json:"accepted"`
	Code     string          `json:"code,omitempty"`
	Why      string          `json:"why,omitempty"`
	At       time.Time       `json:"at"`
	Decision json.RawMessage `json:"decision,omitempty"` // the signed decision, where there is one

	ID string `json:"-"` // tells apart what is alike to the microsecond; a repeat of one attempt carries the same
}

// KindAttempt is the kind of its ledger entry.
const KindAttempt = "signoff.attempt"

// RecordAttempt keeps an attempt and appends it to the ledger of its run, both or neither. The same attempt (all fields, its
// ID and the microsecond) recorded again changes nothing.
func (d *DB) RecordAttempt(ctx context.Context, a Attempt) error {
	a.At = a.At.UTC().Truncate(time.Microsecond)
	body, err := text(a)
	if err != nil {
		return fmt.Errorf("attempt on %q: %w", a.Request, err)
	}
	id := a.entry(body)
	run, step, err := d.askedIn(ctx, a.Request)
	if err != nil {
		return fmt.Errorf("attempt on %q: %w", a.Request, missing(err, "request", a.Request))
	}
	return d.write(ctx, fmt.Sprintf("attempt on %q", a.Request), lockRun(run), func(ctx context.Context, tx *txn) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO attempts (id, request, doc) VALUES (?, ?, ?) ON CONFLICT (id) DO NOTHING`,
			id, a.Request, body); err != nil {
			return err
		}
		return appendEntries(ctx, tx, run, []Entry{{ID: id, Kind: KindAttempt, Actor: a.Person, Step: step, At: a.At, Body: a}})
	})
}

// entry is the id of an attempt's ledger entry.
func (a Attempt) entry(body string) string {
	sum := sha256.Sum256([]byte(body + a.ID))
	return "attempt/" + hex.EncodeToString(sum[:16])
}

// askedIn says which run and step a request or a question belongs to; neither ever changes.
func (d *DB) askedIn(ctx context.Context, id string) (run, step string, err error) {
	var raw []byte
	err = d.reader.QueryRowContext(ctx, `SELECT run, doc FROM requests WHERE id = ?1 UNION ALL SELECT run, doc FROM questions WHERE id = ?1`, id).Scan(&run, &raw)
	if err != nil {
		return "", "", err
	}
	var asked struct {
		Step     string `json:"step"`
		Envelope struct {
			Step string `json:"step"`
		} `json:"envelope"`
	}
	err = json.Unmarshal(raw, &asked)
	return run, asked.Envelope.Step + asked.Step, err
}

// HouseLedger is the ledger of what happened at the doors and belongs to no run.
const HouseLedger = "house"

// RecordStray appends an attempt on something that does not exist to the installation's own ledger.
func (d *DB) RecordStray(ctx context.Context, a Attempt) error {
	a.At = a.At.UTC().Truncate(time.Microsecond)
	body, err := text(a)
	if err != nil {
		return fmt.Errorf("attempt on %q: %w", a.Request, err)
	}
	return d.Append(ctx, HouseLedger, Entry{ID: a.entry(body), Kind: KindAttempt, Actor: a.Person, At: a.At, Body: a})
}

// Tried lists what is open and somebody has tried to decide or to answer.
func (d *DB) Tried(ctx context.Context) (requests, questions []string, err error) {
	id := func(s scanner) (id string, err error) { return id, s.Scan(&id) }
	requests, err = list(ctx, d.reader, id, `SELECT id FROM requests WHERE state IN (?, ?)
		AND EXISTS (SELECT 1 FROM attempts WHERE request = requests.id) ORDER BY n`, signoff.StateOpen, signoff.StateQuorum)
	if err == nil {
		questions, err = list(ctx, d.reader, id, `SELECT id FROM questions WHERE answered = 0
			AND EXISTS (SELECT 1 FROM attempts WHERE request = questions.id) ORDER BY n`)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("open requests that somebody tried to decide: %w", err)
	}
	return requests, questions, nil
}

// Attempts lists every attempt on a request, oldest first.
func (d *DB) Attempts(ctx context.Context, request string) ([]Attempt, error) {
	out, err := list(ctx, d.reader, doc[Attempt], `SELECT doc FROM attempts WHERE request = ? ORDER BY n`, request)
	if err != nil {
		return nil, fmt.Errorf("attempts on %q: %w", request, err)
	}
	return out, nil
}
