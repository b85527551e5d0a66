package main

import (
	"context"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/database"
)

// whose finds a personal token that is good, and so to whom it was issued. One that has expired or was revoked is nobody's: refusal says so to its owner, and
// the ledger of the house keeps the attempt. A token that we never made has neither.
func whose(ctx context.Context, db *database.DB, token string) (t database.Token, refusal string) {
	t, found, err := db.TokenByHash(ctx, tokenHash(token))
	if err != nil || !found {
		return database.Token{}, ""
	}
	now := time.Now()
	if refusal = t.Refusal(now); refusal == "" {
		return t, ""
	}
	if db.NoteRefusedToken(ctx, t, now) != nil {
		return database.Token{}, "" // what cannot be written down is not explained either
	}
	return database.Token{}, refusal
}
