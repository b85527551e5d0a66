package main

import (
	"context"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/database"
)

// whose says to whom a personal token was issued. One that has expired or was revoked is nobody's: refusal says so to its owner, and
// the ledger of the house keeps the attempt. A token that we never made has neither.
func whose(ctx context.Context, db *database.DB, token string) (person, refusal string) {
	t, found, err := db.TokenByHash(ctx, tokenHash(token))
	if err != nil || !found {
		return "", ""
	}
	now := time.Now()
	if refusal = t.Refusal(now); refusal == "" {
		return t.Person, ""
	}
	if db.NoteRefusedToken(ctx, t, now) != nil {
		return "", "" // what cannot be written down is not explained either
	}
	return "", refusal
}
