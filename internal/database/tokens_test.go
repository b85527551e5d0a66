package database_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/database"
)

const tokenHash = "0123456789abcdef0123456789abcdef"

func TestATokenExpiresAndIsThenNobodys(t *testing.T) {
	t.Parallel()
	d, _ := open(t)
	ctx := context.Background()
	old := got[database.Token](t)(d.IssueToken(ctx, "ada", tokenHash, "lee", time.Now().Add(-time.Minute)))
	if p, found, err := d.PersonByToken(ctx, tokenHash); err != nil || found || p != "" {
		t.Errorf("an expired token is %q's: %v %v", p, found, err)
	}
	kept, found, err := d.TokenByHash(ctx, tokenHash)
	if err != nil || !found || kept.ID != old.ID || kept.ID != "tk-0123456789ab" {
		t.Fatalf("%+v %v %v", kept, found, err)
	}
	if why := kept.Refusal(time.Now()); !strings.Contains(why, "expired on "+old.Until.Format(time.DateOnly)) || !strings.Contains(why, "person token") {
		t.Errorf("the owner is told %q", why)
	}
	must(t, d.PutToken(ctx, "ada", "ffff23456789abcdef", "lee"))
	fresh, _, err := d.TokenByHash(ctx, "ffff23456789abcdef")
	if err != nil || fresh.Refusal(time.Now()) != "" || fresh.Refusal(time.Now().Add(database.TokenLife+time.Hour)) == "" {
		t.Errorf("a token without an end of its own: %+v, %v", fresh, err)
	}
}

func TestARevokedTokenIsNobodysAndTheLedgerSaysWhoEndedIt(t *testing.T) {
	t.Parallel()
	d, _ := open(t)
	ctx := context.Background()
	issued := got[database.Token](t)(d.IssueToken(ctx, "ada", tokenHash, "lee", time.Now().Add(time.Hour)))
	must(t, d.PutToken(ctx, "bo", "ffff23456789abcdef", "lee"))
	for range 2 {
		gone := got[database.Token](t)(d.RevokeToken(ctx, issued.ID, "lee", "lost laptop"))
		if gone.RevokedBy != "lee" || gone.RevokedAt.IsZero() {
			t.Errorf("%+v", gone)
		}
	}
	if again := got[database.Token](t)(d.RevokeToken(ctx, issued.ID, "kim", "")); again.RevokedBy != "lee" {
		t.Errorf("who revoked it first was forgotten: %+v", again)
	}
	if _, found, _ := d.PersonByToken(ctx, tokenHash); found {
		t.Error("a revoked token still opens")
	}
	if p, found, _ := d.PersonByToken(ctx, "ffff23456789abcdef"); !found || p != "bo" {
		t.Error("another token was revoked with it")
	}
	for _, id := range []string{"", "tk-", "tk-%", "tk-0123456789ac", "tk-0123456789a_", tokenHash} {
		if _, err := d.RevokeToken(ctx, id, "lee", ""); !database.IsNotFound(err) {
			t.Errorf("revoking %q: %v", id, err)
		}
	}
	kept, _, _ := d.TokenByHash(ctx, tokenHash)
	for range 3 {
		must(t, d.NoteRefusedToken(ctx, kept, time.Now()))
	}
	var kinds []string
	for _, row := range got[[]database.LedgerRow](t)(d.Ledger(ctx, database.HouseLedger)) {
		kinds = append(kinds, row.Kind+" by "+row.Actor)
		if strings.Contains(string(row.Body), tokenHash) {
			t.Errorf("the ledger holds the hash: %s", row.Body)
		}
	}
	want := "token.issued by lee, token.issued by lee, token.revoked by lee, token.refused by ada"
	if said := strings.Join(kinds, ", "); said != want {
		t.Errorf("the ledger says %s, want %s", said, want)
	}
}

func TestTokensAreListedByPersonNewestFirst(t *testing.T) {
	t.Parallel()
	d, _ := open(t)
	ctx := context.Background()
	for i, who := range []string{"ada", "bo", "ada"} {
		must(t, d.PutToken(ctx, who, strings.Repeat(string(rune('a'+i)), 20), "lee"))
	}
	if all := got[[]database.Token](t)(d.Tokens(ctx, "")); len(all) != 3 || all[0].ID != "tk-cccccccccccc" {
		t.Errorf("%+v", all)
	}
	if hers := got[[]database.Token](t)(d.Tokens(ctx, "ada")); len(hers) != 2 || hers[1].ID != "tk-aaaaaaaaaaaa" {
		t.Errorf("%+v", hers)
	}
}
