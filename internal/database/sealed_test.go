package database_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// onDisk is everything that the database keeps: of SQLite the file, its log and its index, of PostgreSQL every row.
func onDisk(t *testing.T, path string) []byte {
	t.Helper()
	if database.IsPostgres(path) {
		return dump(t, path)
	}
	var all []byte
	for _, p := range []string{path, path + "-wal", path + "-shm"} {
		b, err := os.ReadFile(p)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		all = append(all, b...)
	}
	return all
}

func dump(t *testing.T, address string) []byte {
	t.Helper()
	cmd := exec.Command(server.Tool("pg_dump"), "--inserts", "--dbname", address)
	cmd.Env = append(os.Environ(), "PGDATESTYLE=ISO")
	text := got[[]byte](t)(cmd.Output())
	return hexes.ReplaceAllFunc(text, func(b []byte) []byte { // how it writes bytes
		out, err := hex.DecodeString(string(b[3 : len(b)-1]))
		if err != nil {
			return b
		}
		return out
	})
}

var hexes = regexp.MustCompile(`'\\x[0-9a-f]*'`)

func TestASealedSecretOpensAndNeverLiesInTheFile(t *testing.T) {
	t.Parallel()
	d, path := open(t)
	ctx := context.Background()
	secret := []byte("made-up-" + rand.Text())
	one := got[incident.SecretRef](t)(d.PutSealed(ctx, "gemini/k1", secret, "run-1"))
	two := got[incident.SecretRef](t)(d.PutSealed(ctx, "gemini/k1", []byte("next-"+rand.Text()), "run-1"))
	if one.Version != 1 || two.Version != 2 {
		t.Fatalf("versions %v and %v", one, two)
	}
	if plain := got[[]byte](t)(d.OpenSealed(ctx, one)); !bytes.Equal(plain, secret) {
		t.Fatal("another secret came back")
	}
	must(t, d.PutSetting(ctx, "marker", "visible-marker"))
	disk := onDisk(t, path)
	if !bytes.Contains(disk, []byte("visible-marker")) {
		t.Fatal("the search does not see what is stored")
	}
	for _, form := range []string{string(secret), hex.EncodeToString(secret), base64.StdEncoding.EncodeToString(secret)} {
		if bytes.Contains(disk, []byte(form)) {
			t.Error("the raw secret lies in the file")
		}
	}
}

func TestAShreddedSecretIsGoneAndItsNumberIsNotUsedAgain(t *testing.T) {
	t.Parallel()
	d, path := open(t)
	ctx := context.Background()
	ref := got[incident.SecretRef](t)(d.PutSealed(ctx, "h", []byte(rand.Text()), "run-1"))
	raw := beside(t, path)
	var sealed []byte
	must(t, raw.QueryRow(`SELECT ciphertext FROM sealed`).Scan(&sealed))
	if !bytes.Contains(onDisk(t, path), sealed) {
		t.Fatal("the search does not see what is stored")
	}
	must(t, d.ShredRun(ctx, "run-1", noon().Add(-time.Hour*24*3650)))
	if _, err := d.OpenSealed(ctx, ref); err != nil {
		t.Fatalf("a young secret was shredded: %v", err)
	}
	must(t, d.Shred(ctx, "h"))
	if _, err := d.OpenSealed(ctx, ref); err == nil || !strings.Contains(err.Error(), "shredded") {
		t.Errorf("opened after shredding: %v", err)
	}
	if !database.IsPostgres(path) && bytes.Contains(onDisk(t, path), sealed) { // docs/operate.md says what PostgreSQL keeps, and how long
		t.Error("the sealed bytes are still on disk")
	}
	if err := raw.QueryRow(`SELECT ciphertext FROM sealed WHERE ciphertext IS NOT NULL`).Scan(&sealed); !errors.Is(err, sql.ErrNoRows) {
		t.Errorf("the sealed bytes are still in the table: %v", err)
	}
	must(t, raw.Close())
	if next := got[incident.SecretRef](t)(d.PutSealed(ctx, "h", []byte(rand.Text()), "run-1")); next.Version != 2 {
		t.Errorf("version %d", next.Version)
	}
	must(t, d.ShredRun(ctx, "", time.Now().Add(time.Hour)))
	if _, err := d.OpenSealed(ctx, incident.SecretRef{Handle: "h", Version: 2}); err == nil {
		t.Error("the sweep left a secret")
	}
}

func TestASealMovedToAnotherNameDoesNotOpen(t *testing.T) {
	t.Parallel()
	d, path := open(t)
	ctx := context.Background()
	got[incident.SecretRef](t)(d.PutSealed(ctx, "a", []byte(rand.Text()), ""))
	b := got[incident.SecretRef](t)(d.PutSealed(ctx, "b", []byte(rand.Text()), ""))
	raw := beside(t, path)
	must(t, failed(raw.Exec(`UPDATE sealed SET ciphertext = (SELECT ciphertext FROM sealed WHERE handle = 'a') WHERE handle = 'b'`)))
	if _, err := d.OpenSealed(ctx, b); err == nil || !strings.Contains(err.Error(), "another one") {
		t.Errorf("opened: %v", err)
	}
}
