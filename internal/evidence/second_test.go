package evidence_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/tourniquet-ir/tourniquet/internal/evidence"
)

const secondVerifier = "../../test/verify/verify.mjs"

// second asks the verifier in the other language: one answer for each bundle, in their order, and whether it ended well.
func second(t *testing.T, d *desk, bundles ...[]byte) ([]string, bool) {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		t.Fatal("the second verifier needs node; test/setup.sh installs it")
	}
	keys := map[string]string{}
	for id, pub := range d.trusted {
		keys[id] = base64.StdEncoding.EncodeToString(pub)
	}
	body, err := json.Marshal(keys)
	must(err)
	dir := t.TempDir()
	args := []string{secondVerifier, filepath.Join(dir, "keys.json")}
	must(os.WriteFile(args[1], body, 0o600))
	for i, raw := range bundles {
		args = append(args, filepath.Join(dir, strconv.Itoa(i)+".zip"))
		must(os.WriteFile(args[len(args)-1], raw, 0o600))
	}
	said, err := exec.CommandContext(t.Context(), node, args...).Output() //nolint:gosec // node, on files of this test
	var bad *exec.ExitError
	if err != nil && !errors.As(err, &bad) {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(said)), "\n"), err == nil
}

func TestTheSecondVerifierTakesGoodBundles(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	full, packed := d.raw, d.pack()
	d.write(&evidence.Redaction{})
	if said, ended := second(t, d, full, packed, d.raw); !ended || !slices.Equal(said, []string{"good", "good", "good"}) {
		t.Errorf("ended well: %t, said %q", ended, said)
	}
}

func TestTheSecondVerifierRefusesEveryMutation(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	all := mutations(t)
	names := slices.Sorted(maps.Keys(all))
	var spoiled [][]byte
	for _, name := range names {
		m := &desk{priv: d.priv, trusted: d.trusted}
		m.write(nil)
		all[name].do(m)
		spoiled = append(spoiled, m.pack())
	}
	said, ended := second(t, d, spoiled...)
	if ended || len(said) != len(names) || len(names) < 30 {
		t.Fatalf("ended well: %t, %d answers to %d mutations: %q", ended, len(said), len(names), said)
	}
	for i, answer := range said {
		if !strings.HasPrefix(answer, "bad: ") {
			t.Errorf("%s: %q", names[i], answer)
		}
	}
}

func TestTheSecondVerifierIsShort(t *testing.T) {
	t.Parallel()
	body, err := os.ReadFile(secondVerifier)
	if err != nil {
		t.Fatal(err)
	}
	if lines := strings.Count(string(body), "\n"); lines > 60 {
		t.Errorf("the second verifier has %d lines; one that a stranger reads in a minute has at most 60", lines)
	}
}
