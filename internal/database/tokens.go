package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
)

// TokenLife is how long a personal token is good for where nobody says otherwise.
const TokenLife = 90 * 24 * time.Hour

// tokenIDSize is how much of a token's hash names it to people: enough to be unique, and useless for anything else.
const tokenIDSize = 12

// Token is what is kept of a personal token: never the token itself.
type Token struct {
	ID        string    `json:"id"`
	Person    string    `json:"person"`
	IssuedBy  string    `json:"issued_by"`
	At        time.Time `json:"at"`
	Until     time.Time `json:"until"`
	RevokedAt time.Time `json:"revoked_at,omitzero"`
	RevokedBy string    `json:"revoked_by,omitempty"`
}

// Refusal says why a token is not good at a time, in a sentence for its owner; empty where it is.
func (t Token) Refusal(now time.Time) string {
	const mend = "Somebody else makes you a new one with: tourniquet person token"
	switch {
	case !t.RevokedAt.IsZero():
		return fmt.Sprintf("This personal token (%s) was revoked by %s on %s. %s", t.ID, t.RevokedBy, t.RevokedAt.Format(time.DateOnly), mend)
	case !now.Before(t.Until):
		return fmt.Sprintf("This personal token (%s) expired on %s. %s", t.ID, t.Until.Format(time.DateOnly), mend)
	}
	return ""
}

// PutToken keeps the hash of a personal token that is good for the usual time. Nobody issues one to themselves: one shell must
// never be two people.
func (d *DB) PutToken(ctx context.Context, person, tokenHash, issuedBy string) error {
	_, err := d.IssueToken(ctx, person, tokenHash, issuedBy, d.now().Add(TokenLife))
	return err
}

// IssueToken is PutToken with an end of its own. The ledger of the house says who made it for whom.
func (d *DB) IssueToken(ctx context.Context, person, tokenHash, issuedBy string, until time.Time) (Token, error) {
	switch {
	case person == "" || tokenHash == "":
		return Token{}, errors.New("a personal token needs a person and a hash")
	case person == issuedBy:
		return Token{}, fmt.Errorf("person %q cannot issue a token to themselves: somebody else has to", person)
	}
	t := Token{ID: tokenID(tokenHash), Person: person, IssuedBy: issuedBy, At: d.now().UTC(), Until: until.UTC()}
	err := d.write(ctx, fmt.Sprintf("token of person %q", person), lockRun(HouseLedger), func(ctx context.Context, tx *txn) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO tokens (hash, person, issued_by, at, until) VALUES (?, ?, ?, ?, ?)`, tokenHash, person, issuedBy,
			micros(t.At), micros(t.Until)); err != nil {
			return err
		}
		return appendEntries(ctx, tx, HouseLedger, []Entry{{ID: "token/" + t.ID + "/issued", Kind: "token.issued", Actor: issuedBy, At: t.At,
			Body: map[string]any{"token": t.ID, "person": person, "until": t.Until.Format(time.RFC3339)}}})
	})
	return t, err
}

func tokenID(hash string) string { return "tk-" + hash[:min(len(hash), tokenIDSize)] }

// TokenByHash finds a token, also one that is no longer good.
func (d *DB) TokenByHash(ctx context.Context, hash string) (t Token, found bool, err error) {
	t, err = scanToken(d.reader.QueryRowContext(ctx, `SELECT hash, person, issued_by, at, until, revoked_at, revoked_by FROM tokens WHERE hash = ?`, hash))
	if errors.Is(err, sql.ErrNoRows) {
		return Token{}, false, nil
	}
	if err != nil {
		return Token{}, false, fmt.Errorf("person of a token: %w", err)
	}
	return t, true, nil
}

// Token reads one token by its id, also one that is no longer good.
func (d *DB) Token(ctx context.Context, id string) (Token, error) {
	start, ok := tokenStart(id)
	if !ok {
		return Token{}, &NotFoundError{Kind: "token", ID: id}
	}
	t, err := scanToken(d.reader.QueryRowContext(ctx, `SELECT hash, person, issued_by, at, until, revoked_at, revoked_by FROM tokens WHERE hash >= ?1 AND hash < ?1 || 'g'`, start))
	if err != nil {
		return Token{}, missing(err, "token", id)
	}
	return t, nil
}

// tokenStart is how the hash begins that an id was made of.
func tokenStart(id string) (start string, ok bool) {
	start, ok = strings.CutPrefix(id, "tk-")
	return start, ok && len(start) == tokenIDSize && strings.Trim(start, "0123456789abcdef") == ""
}

// PersonByToken says whose token has this hash. One that has expired or was revoked is nobody's.
func (d *DB) PersonByToken(ctx context.Context, hash string) (person string, found bool, err error) {
	t, found, err := d.TokenByHash(ctx, hash)
	if err != nil || !found || t.Refusal(d.now()) != "" {
		return "", false, err
	}
	return t.Person, true, nil
}

// Tokens lists tokens, newest first: of one person, or of everybody.
func (d *DB) Tokens(ctx context.Context, person string) ([]Token, error) {
	out, err := list(ctx, d.reader, scanToken, `SELECT hash, person, issued_by, at, until, revoked_at, revoked_by FROM tokens
		WHERE person = ?1 OR ?1 = '' ORDER BY at DESC, hash`, person)
	if err != nil {
		return nil, fmt.Errorf("tokens: %w", err)
	}
	return out, nil
}

// RevokeToken ends a token for good. A second time changes nothing and says who was first.
func (d *DB) RevokeToken(ctx context.Context, id, by, reason string) (t Token, err error) {
	start, ok := tokenStart(id)
	if !ok {
		return Token{}, &NotFoundError{Kind: "token", ID: id}
	}
	err = d.write(ctx, fmt.Sprintf("token %q", id), lockRun(HouseLedger), func(ctx context.Context, tx *txn) error {
		var err error
		t, err = scanToken(tx.QueryRowContext(ctx, `SELECT hash, person, issued_by, at, until, revoked_at, revoked_by FROM tokens WHERE substr(hash, 1, 12) = ?`, start))
		if err != nil {
			return missing(err, "token", id)
		}
		if !t.RevokedAt.IsZero() {
			return nil
		}
		t.RevokedAt, t.RevokedBy = d.now().UTC(), by
		if _, err := tx.ExecContext(ctx, `UPDATE tokens SET revoked_at = ?, revoked_by = ? WHERE substr(hash, 1, 12) = ?`, micros(t.RevokedAt), by, start); err != nil {
			return err
		}
		return appendEntries(ctx, tx, HouseLedger, []Entry{{ID: "token/" + t.ID + "/revoked", Kind: "token.revoked", Actor: by, At: t.RevokedAt,
			Body: map[string]any{"token": t.ID, "person": t.Person, "reason": reason}}})
	})
	return t, err
}

// NoteRefusedToken writes down that a token was used that is no longer good, once a day for each: whoever holds one must not fill
// the ledger.
func (d *DB) NoteRefusedToken(ctx context.Context, t Token, now time.Time) error {
	return d.Append(ctx, HouseLedger, Entry{ID: "token/" + t.ID + "/refused/" + now.UTC().Format(time.DateOnly), Kind: "token.refused", Actor: t.Person, At: now,
		Body: map[string]any{"token": t.ID, "why": t.Refusal(now)}})
}

// NotePayloadsRead writes down that a person was shown what the workflow engine keeps, once a minute for each: the engine's pages ask for every event.
func (d *DB) NotePayloadsRead(ctx context.Context, person string, now time.Time) error {
	minute := now.UTC().Truncate(time.Minute)
	return d.Append(ctx, HouseLedger, Entry{ID: "payloads/" + person + "/" + minute.Format(time.RFC3339), Kind: "payloads.read", Actor: person, At: minute, Body: map[string]any{}})
}

func scanToken(s scanner) (t Token, err error) {
	var hash string
	var at, until int64
	var revoked sql.NullInt64
	if err = s.Scan(&hash, &t.Person, &t.IssuedBy, &at, &until, &revoked, &t.RevokedBy); err != nil {
		return Token{}, err
	}
	t.ID, t.At, t.Until, t.RevokedAt = tokenID(hash), time.UnixMicro(at).UTC(), time.UnixMicro(until).UTC(), moment(revoked)
	return t, nil
}
