package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/database"
)

func TestAPersonalTokenIsMadeListedAndRevoked(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if r := command(t, nil, fullInit(dir)...); r.code != exitGood {
		t.Fatal(r.talk)
	}
	env := map[string]string{"TOURNIQUET_CONFIG": filepath.Join(dir, "tourniquet.yaml")}
	made := map[string]string{}
	r := command(t, env, "person", "token", "--for", "ana", "--issued-by", "bo", "--expires", "8h", "-o", "json")
	if err := json.Unmarshal([]byte(r.out), &made); err != nil || !strings.HasPrefix(made["id"], "tk-") || made["until"] == "" {
		t.Fatalf("exit %d: %s%s (%v)", r.code, r.out, r.talk, err)
	}
	if r := command(t, env, "person", "tokens", "--for", "ana"); r.code != exitGood || !strings.Contains(r.out, made["id"]) || !strings.Contains(r.out, "good") || strings.Contains(r.out, made["token"]) {
		t.Errorf("the list says %s%s", r.out, r.talk)
	}
	if r := command(t, env, "person", "tokens", "--for", "bo", "-o", "json"); strings.TrimSpace(r.out) != "[]" {
		t.Errorf("bo has %s", r.out)
	}
	for range 2 {
		if r := command(t, env, "person", "revoke", made["id"], "--by", "bo", "--reason", "lost laptop"); r.code != exitGood || !strings.Contains(r.out, "of ana is revoked") {
			t.Fatalf("exit %d: %s%s", r.code, r.out, r.talk)
		}
	}
	if r := command(t, env, "person", "tokens"); !strings.Contains(r.out, "revoked by bo") {
		t.Errorf("the list says %s", r.out)
	}
	for want, args := range map[string][]string{
		"there is no token":    {"person", "revoke", "tk-000000000000", "--by", "bo"},
		"not listed":           {"person", "revoke", made["id"], "--by", "mallory"},
		"say who revokes it":   {"person", "revoke", made["id"]},
		"takes one argument":   {"person", "revoke", "--by", "bo"},
		`"500d" is no time`:    {"person", "token", "--for", "ana", "--issued-by", "bo", "--expires", "500d"},
		`"0s" is no time`:      {"person", "token", "--for", "ana", "--issued-by", "bo", "--expires", "0s"},
		`"tomorrow" is no`:     {"person", "token", "--for", "ana", "--issued-by", "bo", "--expires", "tomorrow"},
		"cannot issue a token": {"person", "token", "--for", "bo", "--issued-by", "bo"},
	} {
		if r := command(t, env, args...); r.code != exitMisuse || r.out != "" || !strings.Contains(r.talk, want) {
			t.Errorf("%q: exit %d: %s%s", want, r.code, r.out, r.talk)
		}
	}
}

func TestATokenThatWasRevokedOpensNothingAndTheLedgerKeepsTheAttempt(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	mine := newToken()
	issued, err := d.db.IssueToken(t.Context(), "ana", tokenHash(mine), "bo", time.Now().Add(database.TokenLife))
	if err != nil {
		t.Fatal(err)
	}
	if token, refusal := whose(t.Context(), d.db, mine); token.Person != "ana" || refusal != "" {
		t.Fatalf("%+v, %q", token, refusal)
	}
	if _, err := d.db.RevokeToken(t.Context(), issued.ID, "bo", "lost"); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if token, refusal := whose(t.Context(), d.db, mine); token.Person != "" || !strings.Contains(refusal, "was revoked by bo") {
			t.Errorf("%+v, %q", token, refusal)
		}
	}
	if token, refusal := whose(t.Context(), d.db, "tq_of_a_stranger"); token.ID != "" || refusal != "" {
		t.Errorf("a stranger is told %q", refusal)
	}
	rows, err := d.db.Ledger(t.Context(), database.HouseLedger)
	if err != nil {
		t.Fatal(err)
	}
	refused := 0
	for _, row := range rows {
		if row.Kind == "token.refused" {
			refused++
		}
	}
	if refused != 1 {
		t.Errorf("the ledger holds %d refusals", refused)
	}
}
