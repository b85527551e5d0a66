package database_test

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/database/pgtest"
)

// ring is a small real box: AES-GCM and HMAC under one random key.
type ring struct{ key []byte }

func newRing(t *testing.T) ring {
	t.Helper()
	key := make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		t.Fatal(err)
	}
	return ring{key}
}

func (r ring) gcm() (cipher.AEAD, error) {
	b, err := aes.NewCipher(r.key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(b)
}

func (r ring) Seal(plain []byte) ([]byte, error) {
	g, err := r.gcm()
	if err != nil {
		return nil, err
	}
	return g.Seal(nil, nil, plain, nil), nil
}

func (r ring) Open(sealed []byte) ([]byte, error) {
	g, err := r.gcm()
	if err != nil {
		return nil, err
	}
	plain, err := g.Open(nil, nil, sealed, nil)
	if err != nil {
		return nil, errors.New("this key does not open it")
	}
	return plain, nil
}

func (r ring) KeyedHash(b []byte) string {
	m := hmac.New(sha256.New, r.key)
	m.Write(b)
	return hex.EncodeToString(m.Sum(nil))
}

// server is the PostgreSQL of the second round of tests; nil in the first, which is SQLite's.
var server *pgtest.Server

// TestMain runs every test twice: what the house may rely on is the same with both databases.
func TestMain(m *testing.M) {
	if os.Getenv(childFrom) != "" {
		os.Exit(moveAsChild())
	}
	ctx := context.Background()
	code := m.Run()
	if code != 0 {
		os.Exit(code)
	}
	var err error
	if server, err = pgtest.Start(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("once more, with PostgreSQL:")
	if err = prepare(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	} else {
		code = m.Run()
	}
	if err := server.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// template is the database that the others are copies of: making every table anew would take most of the time.
var template string

func prepare(ctx context.Context) error {
	address, err := server.Database(ctx, "")
	if err != nil {
		return err
	}
	d, err := database.Open(ctx, address, ring{})
	if err != nil {
		return err
	}
	u, err := url.Parse(address)
	if err != nil {
		return err
	}
	template = strings.TrimPrefix(u.Path, "/")
	return d.Close()
}

// open makes an empty database and says where it is.
func open(t *testing.T) (*database.DB, string) {
	t.Helper()
	where := filepath.Join(t.TempDir(), "our file.db")
	if server != nil {
		where = got[string](t)(server.Database(context.Background(), template))
	}
	return openAt(t, where, newRing(t)), where
}

func openAt(t *testing.T, where string, box database.Box) *database.DB {
	t.Helper()
	d, err := database.Open(context.Background(), where, box)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// beside is a raw connection to the same database, without our manners.
func beside(t *testing.T, where string) *sql.DB {
	t.Helper()
	driver := "sqlite"
	if database.IsPostgres(where) {
		driver = "pgx"
	}
	raw := got[*sql.DB](t)(sql.Open(driver, where))
	t.Cleanup(func() { _ = raw.Close() })
	return raw
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// got unwraps a result: got[int](t)(d.UnreadAlerts(ctx, id)).
func got[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		must(t, err)
		return v
	}
}

func failed[T any](_ T, err error) error { return err }

func noon() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 123456000, time.UTC) }
