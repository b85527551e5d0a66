package seal

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	commonpb "go.temporal.io/api/common/v1"
)

func TestAKeyAddedToTheRingDecryptsBeforeItEncryptsAndOldOnesStay(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ring.json")
	encode := func() *commonpb.Payload {
		t.Helper()
		p, err := DataConverter(ring(t, path)).ToPayload("a marker")
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	readable := func(p *commonpb.Payload) bool {
		t.Helper()
		var s string
		return DataConverter(ring(t, path)).FromPayload(p, &s) == nil && s == "a marker"
	}
	hash := ring(t, path).Box().KeyedHash([]byte("x"))
	old := encode()
	id, err := AddKey(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	ids, active, err := Keys(path)
	if err != nil || len(ids) != 2 || ids[1] != id || active != ids[0] {
		t.Fatalf("the ring has %v, active %q, %v", ids, active, err)
	}
	between := encode()
	if err := Activate(path, "k-none"); err == nil || !strings.Contains(err.Error(), "not among its keys") {
		t.Errorf("activating a key that is not there: %v", err)
	}
	if err := Activate(path, id); err != nil {
		t.Fatal(err)
	}
	for i, p := range []*commonpb.Payload{old, between, encode()} {
		if !readable(p) {
			t.Errorf("payload %d is not readable", i)
		}
	}
	if now := ring(t, path).Box().KeyedHash([]byte("x")); now != hash {
		t.Error("keyed hashes changed, so known keys would not be known any more")
	}
	if mode := stat(t, path).Mode().Perm(); mode != 0o600 {
		t.Errorf("the ring has mode %v", mode)
	}
	if _, err := Load(path + ".before"); err != nil {
		t.Errorf("the ring as it was: %v", err)
	}
}

func ring(t *testing.T, path string) *Ring {
	t.Helper()
	r, err := LoadOrCreate(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func stat(t *testing.T, path string) os.FileInfo {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info
}

func TestANewSigningKeySignsForNewRunsAndTheOldOneForOldRuns(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "signing.json")
	first, err := LoadOrCreateSigner(path)
	if err != nil {
		t.Fatal(err)
	}
	second, err := RotateSigner(path)
	if err != nil {
		t.Fatal(err)
	}
	third, err := RotateSigner(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(third.PublicKeys()) != 3 || third.PublicKeys()[first.ID] != first.PublicKeys()[first.ID] {
		t.Errorf("public keys %v", third.PublicKeys())
	}
	for _, c := range []struct {
		accepted []string
		want     string
	}{
		{nil, third.ID}, {[]string{first.ID}, first.ID}, {[]string{first.ID, second.ID}, second.ID},
		{[]string{first.ID, second.ID, third.ID}, third.ID}, {[]string{"ed25519-unknown"}, third.ID},
	} {
		if got := third.For(c.accepted); got.ID != c.want || got.Sign([]byte("m")) == "" {
			t.Errorf("for a run that accepts %v signs %s, want %s", c.accepted, got.ID, c.want)
		}
	}
	seed := base64.StdEncoding.EncodeToString(second.Private.Seed())
	if s := fmt.Sprintf("%v %+v %#v %s", third, third, third, third); strings.Contains(s, seed) || strings.Contains(s, fmt.Sprint([]byte(second.Private))) {
		t.Error("a private key is printed")
	}
}

func TestPublicKeysAreReadAndNoneIsExchangedUnnoticed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := LoadOrCreateSigner(filepath.Join(dir, "a.json"))
	if err != nil {
		t.Fatal(err)
	}
	other, err := LoadOrCreateSigner(filepath.Join(dir, "b.json"))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "public.json")
	put := func(body []byte) {
		t.Helper()
		if err := os.WriteFile(path, body, 0o644); err != nil { //nolint:gosec // public by name
			t.Fatal(err)
		}
	}
	body, err := PublicFile(s.PublicKeys())
	if err != nil {
		t.Fatal(err)
	}
	put(body)
	keys, err := LoadPublic(path)
	if err != nil || len(keys) != 1 || keys[s.ID] != s.PublicKeys()[s.ID] {
		t.Errorf("read %v, %v", keys, err)
	}
	if private, err := os.ReadFile(filepath.Join(dir, "a.json")); err != nil || slices.Contains(strings.Fields(string(body)), string(private)) || strings.Contains(string(body), base64.StdEncoding.EncodeToString(s.Private.Seed())) {
		t.Errorf("the private key is in the public file, %v", err)
	}
	for name, text := range map[string]string{
		"another key under this id": strings.ReplaceAll(string(body), s.PublicKeys()[s.ID], other.PublicKeys()[other.ID]),
		"no keys":                   `{"format":"tourniquet-public-keys-v1","keys":{}}`,
		"another format":            `{"format":"x","keys":{"a":"b"}}`,
		"no JSON":                   `keys`,
		"something else":            strings.Repeat(" ", maxFile+2),
	} {
		put([]byte(text))
		if keys, err := LoadPublic(path); err == nil || keys != nil {
			t.Errorf("%s: %v, %v", name, keys, err)
		}
	}
}
