package seal_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tourniquet-ir/tourniquet/internal/seal"
)

func newRing(tb testing.TB) *seal.Ring {
	tb.Helper()
	ring, err := seal.LoadOrCreate(filepath.Join(tb.TempDir(), "keys.json"), nil)
	if err != nil {
		tb.Fatal(err)
	}
	return ring
}

func TestTheFirstStartMakesARingThatOnlyItsOwnerReadsAndTheSecondReadsIt(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "keys.json")
	first, err := seal.LoadOrCreate(path, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, want 0600", info.Mode().Perm())
	}
	left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "*"))
	if len(left) != 1 {
		t.Errorf("files left behind: %q", left)
	}
	sealed, err := first.Box().Seal([]byte("value"))
	if err != nil {
		t.Fatal(err)
	}
	second, err := seal.LoadOrCreate(path, failing{})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := second.Box().Open(sealed); err != nil || string(got) != "value" {
		t.Errorf("the ring read again opens %q, %v", got, err)
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("no entropy here") }

func TestARingIsNotMadeWithoutEntropy(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "keys.json")
	if _, err := seal.LoadOrCreate(path, failing{}); err == nil || !strings.Contains(err.Error(), "no entropy here") {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("a file was made")
	}
	if _, err := seal.Load(path); err == nil {
		t.Error("Load made up a ring")
	}
}

func keyJSON(format, active string, keys ...string) string {
	list := make([]map[string]string, 0, len(keys))
	for i, k := range keys {
		list = append(list, map[string]string{"id": fmt.Sprintf("k-%d", i), "key": k})
	}
	b, _ := json.Marshal(map[string]any{"format": format, "active": active, "keys": list})
	return string(b)
}

func randomKey(tb testing.TB, size int) string {
	tb.Helper()
	b := make([]byte, size)
	if _, err := rand.Read(b); err != nil {
		tb.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(b)
}

func TestABadRingIsRefusedWithASentence(t *testing.T) {
	t.Parallel()
	const format = "tourniquet-keyring-v1"
	good := randomKey(t, 32)
	for name, c := range map[string]struct {
		body, says string
		mode       os.FileMode
	}{
		"readable by its group": {keyJSON(format, "k-0", good), "chmod 600", 0o640},
		"readable by everyone":  {keyJSON(format, "k-0", good), "chmod 600", 0o604},
		"a short key":           {keyJSON(format, "k-0", randomKey(t, 16)), "has 16 bytes", 0o600},
		"a long key":            {keyJSON(format, "k-0", randomKey(t, 33)), "has 33 bytes", 0o600},
		"no base64":             {keyJSON(format, "k-0", "§"), "is not base64", 0o600},
		"another format":        {keyJSON("tourniquet-keyring-v9", "k-0", good), `has format "tourniquet-keyring-v9"`, 0o600},
		"no keys":               {keyJSON(format, "k-0"), "holds no key", 0o600},
		"a lost active key":     {keyJSON(format, "k-7", good), `active key "k-7" is not among`, 0o600},
		"an unknown field":      {`{"format":"tourniquet-keyring-v1","extra":1}`, "is not the JSON", 0o600},
		"half a file":           {keyJSON(format, "k-0", good)[:60], "is not the JSON", 0o600},
		"more than one value":   {keyJSON(format, "k-0", good) + "{}", "after its end", 0o600},
		"an empty file":         {"", "is not the JSON", 0o600},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "keys.json")
			if err := os.WriteFile(path, []byte(c.body), c.mode); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(path, c.mode); err != nil {
				t.Fatal(err)
			}
			_, err := seal.LoadOrCreate(path, rand.Reader)
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Fatalf("got %v, want a sentence with %q", err, c.says)
			}
			if strings.Contains(err.Error(), good) {
				t.Error("the sentence shows the key")
			}
		})
	}
}

func TestAfterANewKeyBecomesActiveOldThingsStillOpenAndHashesStay(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "keys.json")
	older, newer := randomKey(t, 32), randomKey(t, 32)
	load := func(body string) *seal.Ring {
		t.Helper()
		if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
		ring, err := seal.Load(path)
		if err != nil {
			t.Fatal(err)
		}
		return ring
	}
	before := load(keyJSON("tourniquet-keyring-v1", "k-0", older))
	sealed, err := before.Box().Seal([]byte("value"))
	if err != nil {
		t.Fatal(err)
	}
	after := load(keyJSON("tourniquet-keyring-v1", "k-1", older, newer))
	if got, err := after.Box().Open(sealed); err != nil || string(got) != "value" {
		t.Errorf("opened %q, %v", got, err)
	}
	if a, b := before.Box().KeyedHash([]byte("x")), after.Box().KeyedHash([]byte("x")); a != b {
		t.Error("the hash changed with the active key")
	}
	fresh, err := after.Box().Seal([]byte("value"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := before.Box().Open(fresh); err == nil || !strings.Contains(err.Error(), `"k-1"`) {
		t.Errorf("the old ring should miss the key by name, got %v", err)
	}
}

func TestTheSignerIsTheSameAfterARestartAndItsFileIsGuarded(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "sign.json")
	first, err := seal.LoadOrCreateSigner(path)
	if err != nil {
		t.Fatal(err)
	}
	second, err := seal.LoadOrCreateSigner(path)
	if err != nil {
		t.Fatal(err)
	}
	if first.ID != second.ID || !first.Private.Equal(second.Private) {
		t.Error("the signer changed")
	}
	public, err := base64.StdEncoding.DecodeString(second.PublicKeys()[first.ID])
	if err != nil {
		t.Fatal(err)
	}
	sig, err := base64.StdEncoding.DecodeString(first.Sign([]byte("yes")))
	if err != nil {
		t.Fatal(err)
	}
	if !ed25519.Verify(public, []byte("yes"), sig) || ed25519.Verify(public, []byte("no"), sig) {
		t.Error("the signature does not tell yes from no")
	}
	printed, err := json.Marshal(first)
	if err != nil {
		t.Fatal(err)
	}
	seed := first.Private.Seed()
	for _, p := range []string{fmt.Sprintf("%v %+v %#v %x", first, first, first, first), string(printed)} {
		if seal.Redact(p, seed) != p {
			t.Errorf("the private key shows in %q", p)
		}
	}
	if err := os.Chmod(path, 0o644); err != nil { //nolint:gosec // the fault under test
		t.Fatal(err)
	}
	if _, err := seal.LoadOrCreateSigner(path); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("a signing key that others read gives %v", err)
	}
}

func TestTheRingItselfCannotBePrinted(t *testing.T) {
	t.Parallel()
	material := make([]byte, 36)
	if _, err := rand.Read(material); err != nil {
		t.Fatal(err)
	}
	ring, err := seal.LoadOrCreate(filepath.Join(t.TempDir(), "keys.json"), io.MultiReader(bytes.NewReader(material)))
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("%v %+v %#v %s", ring, ring, ring, ring)
	if seal.Redact(text, material[:32]) != text || !strings.Contains(text, "key ring (active key k-") {
		t.Errorf("printed %q", text)
	}
}
