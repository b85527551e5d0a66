package database_test

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/database"
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

func open(t *testing.T) (*database.DB, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "our file.db")
	return openAt(t, path, newRing(t)), path
}

func openAt(t *testing.T, path string, box database.Box) *database.DB {
	t.Helper()
	d, err := database.Open(context.Background(), path, box)
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
