package inventory_test

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/tourniquet-ir/tourniquet/internal/diag"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/inventory"
)

var update = flag.Bool("update", false, "write the golden outputs anew")

func load(t *testing.T, file string) (*inventory.Inventory, []diag.Fault) {
	t.Helper()
	data, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	return inventory.Load(file, data)
}

func TestAKnownKeyGetsItsOwnerWeightAndDependents(t *testing.T) {
	t.Parallel()
	inv, faults := load(t, "good.yaml")
	if len(faults) != 0 {
		t.Fatal(faults)
	}
	const id = "projects/1/locations/global/keys/shop"
	k := inv.Enrich(incident.Key{Provider: "gemini", Account: "prod", ID: id})
	if k.Owner != "anna" || !k.Critical || len(k.Dependents) != 2 {
		t.Fatalf("%+v", k)
	}
	d := k.Dependents[0]
	if d.ID != "acme/shop:GEMINI_API_KEY" || d.Address["repo"] != "shop" || d.Redeploy["ref"] != "main" || d.Check["kind"] != "workflow" {
		t.Errorf("%+v", d)
	}
	if k.Dependents[1].ID != "shop in the cluster" || k.Dependents[1].Check["status"] != "204" {
		t.Errorf("%+v", k.Dependents[1])
	}
	if other := inv.Enrich(incident.Key{Provider: "gemini", Account: "test", ID: id}); other.Owner != "somebody-else" || other.Critical {
		t.Errorf("another account: %+v", other)
	}
	if byUID := inv.Enrich(incident.Key{Provider: "gemini", Account: "prod", ID: "x", UID: id}); byUID.Owner != "anna" {
		t.Errorf("by the second id: %+v", byUID)
	}
	d.Address["repo"] = "changed"
	if again, _ := inv.Lookup("gemini", "prod", id); again.Dependents[0].Address["repo"] != "shop" {
		t.Error("a caller changed the inventory")
	}
}

func TestAnUnknownKeyKeepsWhatItHasAndGetsAnEmptyList(t *testing.T) {
	t.Parallel()
	inv, _ := load(t, "good.yaml")
	for _, i := range []*inventory.Inventory{inv, {}} {
		k := i.Enrich(incident.Key{Provider: "openai", ID: "key_1", Owner: "of the provider"})
		if k.Owner != "of the provider" || k.Dependents == nil || k.Critical {
			t.Errorf("%+v", k)
		}
	}
	if _, known := inv.Lookup("openai", "", ""); known {
		t.Error("an empty id found a key that is known by hash")
	}
	if _, known := inv.LookupHash("openai", "any", strings.Repeat("0", 64)); !known {
		t.Error("a key is not found by its keyed hash")
	}
}

func TestEveryFaultIsToldAtItsPlace(t *testing.T) {
	t.Parallel()
	inv, faults := load(t, "bad.yaml")
	if len(inv.Entries()) != 0 {
		t.Error("a faulty inventory must be empty")
	}
	var out strings.Builder
	for _, f := range faults {
		out.WriteString(f.String())
		if f.Hint != "" {
			out.WriteString(" (" + f.Hint + ")")
		}
		out.WriteString("\n")
	}
	if *update {
		if err := os.WriteFile("testdata/bad.out", []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/bad.out")
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != out.String() {
		t.Errorf("the faults differ:\n%s", out.String())
	}
}

func TestOddFilesAreFaultsOrEmptyNeverAPanic(t *testing.T) {
	t.Parallel()
	for body, good := range map[string]bool{
		"": true, "keys: []": true, "# nothing": true, "keys:\n": false, "[]": false, "keys: 1": false, "a: [": false,
		"keys: []\n---\nkeys: []": false, "x: &a {}\nkeys: [*a]": false, "keys: [{provider: p, id: i}, {<<: {a: b}}]": false,
	} {
		if _, faults := inventory.Load("x.yaml", []byte(body)); diag.HasErrors(faults) == good {
			t.Errorf("%q: %v", body, faults)
		}
	}
}

func FuzzLoad(f *testing.F) {
	for _, file := range []string{"good.yaml", "bad.yaml"} {
		data, err := os.ReadFile("testdata/" + file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		inv, faults := inventory.Load("x.yaml", data)
		if diag.HasErrors(faults) && len(inv.Entries()) != 0 {
			t.Fatal("faults and entries")
		}
		for _, e := range inv.Entries() {
			if e.Provider == "" || (e.ID == "") == (e.Hash == "") {
				t.Fatalf("a senseless entry: %+v", e)
			}
		}
	})
}

func TestWhatMayBeCriticalCountsAsCritical(t *testing.T) {
	t.Parallel()
	hash := strings.Repeat("ab", 32)
	inv, faults := inventory.Load("inventory.yaml", []byte(`
keys:
  - { provider: gemini, account: prod, id: projects/1/locations/global/keys/crown, critical: true }
  - { provider: gemini, account: prod, id: plain }
  - { provider: openai, hash: `+hash+`, critical: true }
`))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	for name, c := range map[string]struct {
		clue incident.Clue
		want bool
	}{
		"its id":                    {incident.Clue{Provider: "gemini", Account: "prod", ID: "projects/1/locations/global/keys/crown"}, true},
		"the end of its id":         {incident.Clue{Provider: "gemini", ID: "crown"}, true},
		"another id":                {incident.Clue{Provider: "gemini", Account: "prod", ID: "plain"}, false},
		"another account":           {incident.Clue{Provider: "gemini", Account: "test", ID: "crown"}, false},
		"a hint":                    {incident.Clue{Provider: "gemini", Hint: "AIza…9xQ2"}, true},
		"a value nobody can place":  {incident.Clue{Provider: "gemini", SecretHash: strings.Repeat("cd", 32)}, true},
		"its value":                 {incident.Clue{Provider: "openai", SecretHash: hash}, true},
		"another value":             {incident.Clue{Provider: "openai", SecretHash: strings.Repeat("cd", 32)}, false},
		"a provider without any":    {incident.Clue{Provider: "anthropic", Hint: "sk-ant…"}, false},
		"no key at all":             {incident.Clue{Provider: "gemini"}, false},
		"a hint without a provider": {incident.Clue{Hint: "x…y"}, true},
	} {
		if got := inv.MayBeCritical(c.clue); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	if (&inventory.Inventory{}).MayBeCritical(incident.Clue{ID: "x"}) {
		t.Error("an empty inventory has critical keys")
	}
}
