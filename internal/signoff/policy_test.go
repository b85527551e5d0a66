package signoff

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	yaml "go.yaml.in/yaml/v3"
	"pgregory.net/rapid"
)

const designPolicy = `
undoable: { auto_if: 'source.trust == "act" && !key.critical && reach == "key"', default_signoff: [{ group: secops, count: 1 }] }
final:    { seats: [{ group: secops, count: 2 }], exclude: [starter, key_owner], expires: 4h, use_within: 10m }
undo:     { seats: [{ group: secops, count: 2 }], exclude: [key_owner] }
auto_limit: { runs: 5, per: 10m }
responders: secops
`

func readPolicy(t *testing.T, text string) (Policy, error) {
	t.Helper()
	var p Policy
	dec := yaml.NewDecoder(bytes.NewReader([]byte(text)))
	dec.KnownFields(true)
	err := dec.Decode(&p)
	return p, err
}

func TestTheDocumentedPolicyIsTheDefault(t *testing.T) {
	t.Parallel()
	p, err := readPolicy(t, designPolicy)
	if err != nil || !reflect.DeepEqual(p, DefaultPolicy()) {
		t.Fatalf("%v\n got %+v\nwant %+v", err, p, DefaultPolicy())
	}
	raw, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	var back Policy
	if err := json.Unmarshal(raw, &back); err != nil || !reflect.DeepEqual(p, back) {
		t.Fatalf("JSON: %v %+v", err, back)
	}
	a, err := p.Digest()
	p.AutoLimit.Runs++
	if b, _ := p.Digest(); err != nil || a == b {
		t.Fatalf("another policy has the same digest %s (%v)", a, err)
	}
}

func TestNoFileCanSayWhoHasAPart(t *testing.T) {
	t.Parallel()
	if _, err := readPolicy(t, `final: { seats: [{ seat: key_owner, person: eve, else: lead, count: 1 }] }`); err == nil {
		t.Fatal("the policy file named the person of a seat")
	}
	p, err := readPolicy(t, `final: { seats: [{ seat: key_owner, else: lead, count: 1 }] }`)
	if err != nil || p.Final.Seats[0].Named != PartKeyOwner {
		t.Fatalf("%v %+v", err, p)
	}
}

func TestValidateSaysEveryFault(t *testing.T) {
	t.Parallel()
	for _, size := range []int{-1, 4} {
		if err := DefaultPolicy().Validate(map[string]int{"secops": size}); err != nil {
			t.Fatalf("size %d: %v", size, err)
		}
	}
	err := Policy{}.Validate(nil)
	for _, want := range []string{"auto_if is missing", "default_signoff is missing", "final.seats is missing", "final.exclude is missing",
		"final.expires is missing", "final.use_within is missing", "undo.seats is missing", "undo.exclude is missing",
		"auto_limit.runs is 0", "auto_limit.per is missing", "responders is missing"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q in\n%v", want, err)
		}
	}
	for want, change := range map[string]func(*Policy){
		`needs 3 of the group "secops"`: func(p *Policy) { p.Final.Seats[0].Count = 3 },
		`names the group "x"`:           func(p *Policy) { p.Responders = "x" },
		`has nobody in it`:              func(p *Policy) { p.Responders = "empty" },
		`names "boss"`:                  func(p *Policy) { p.Final.Exclude = []string{"boss"} },
		`names the seat "boss"`:         func(p *Policy) { p.Undo.Seats = []Seat{{Named: "boss", Else: "secops", Count: 1}} },
		`add else`:                      func(p *Policy) { p.Undo.Seats = []Seat{{Named: PartKeyOwner, Count: 1}} },
		`asks for 0 of the group`:       func(p *Policy) { p.Undo.Seats = []Seat{{Group: "secops"}} },
		`names neither`:                 func(p *Policy) { p.Undo.Seats = []Seat{{Count: 1}} },
		`names both`:                    func(p *Policy) { p.Undo.Seats = []Seat{{Group: "secops", Named: PartStarter, Count: 1}} },
		`does not compile`:              func(p *Policy) { p.Undoable.AutoIf = `alert.severity == "critical"` },
		`it may use source.trust`:       func(p *Policy) { p.Undoable.AutoIf = `reach` },
		`of whom up to 1 are excluded`:  func(p *Policy) { p.Undo.Seats[0].Count = 4 },
	} {
		p := DefaultPolicy()
		change(&p)
		if err := p.Validate(map[string]int{"secops": 4, "empty": 0}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}

func TestAutomaticOnlyWhereTheSourceMayActAndTheExpressionHolds(t *testing.T) {
	t.Parallel()
	good := AutoInput{Trust: "act", KeyKnown: true, Reach: "key"}
	for name, c := range map[string]struct {
		code   string
		change func(*AutoInput)
		want   bool
	}{
		"holds":                     {"", func(*AutoInput) {}, true},
		"critical key":              {"", func(in *AutoInput) { in.KeyCritical = true }, false},
		"unknown key":               {"", func(in *AutoInput) { in.KeyKnown = false }, false},
		"reaches the account":       {"", func(in *AutoInput) { in.Reach = "account" }, false},
		"tells only":                {"", func(in *AutoInput) { in.Trust = "tell" }, false},
		"tells only, always true":   {"true", func(in *AutoInput) { in.Trust = "tell" }, false},
		"no trust, always true":     {"true", func(in *AutoInput) { in.Trust = "" }, false},
		"unknown reach":             {"true", func(in *AutoInput) { in.Reach = "" }, false},
		"does not compile":          {"true ||", func(*AutoInput) {}, false},
		"not a bool":                {"1", func(*AutoInput) {}, false},
		"severity is not there":     {`alert.severity == "critical"`, func(*AutoInput) {}, false},
		"no functions of the world": {`now().Year() > 2000`, func(*AutoInput) {}, false},
	} {
		p, in := DefaultPolicy(), good
		if c.code != "" {
			p.Undoable.AutoIf = c.code
		}
		c.change(&in)
		got, why := p.Auto(in)
		if got != c.want || (why == "") != got {
			t.Errorf("%s: got %v, %q", name, got, why)
		}
	}
	if ok, why := (Policy{}).Auto(good); ok || why == "" {
		t.Errorf("an empty policy acts: %q", why)
	}
}

func TestARuleHoldsBothWhatPolicyAndPlaybookAsk(t *testing.T) {
	t.Parallel()
	who := Parties{Starter: "sam", KeyOwner: "olga"}
	owner := Seat{Named: PartKeyOwner, Person: "eve", Else: "lead", Count: 1}
	for name, c := range map[string]struct {
		effect string
		undo   bool
		asked  []Seat
		who    Parties
		want   Rule
		fails  bool
	}{
		"final alone":        {EffectFinal, false, nil, who, Rule{[]Seat{{Group: "secops", Count: 2}}, []string{"olga", "sam"}}, false},
		"never less":         {EffectFinal, false, []Seat{{Group: "secops", Count: 1}}, who, Rule{[]Seat{{Group: "secops", Count: 2}}, []string{"olga", "sam"}}, false},
		"more":               {EffectFinal, false, []Seat{{Group: "secops", Count: 2}, {Group: "secops", Count: 1}}, Parties{}, Rule{[]Seat{{Group: "secops", Count: 3}}, []string{}}, false},
		"owner, excluded":    {EffectFinal, false, []Seat{owner}, who, Rule{[]Seat{{Group: "secops", Count: 2}, {Named: PartKeyOwner, Person: "olga", Else: "lead", Count: 1}}, []string{"olga", "sam"}}, false},
		"owner, undoable":    {EffectUndoable, false, []Seat{owner}, who, Rule{[]Seat{{Group: "secops", Count: 1}, {Named: PartKeyOwner, Person: "olga", Else: "lead", Count: 1}}, []string{}}, false},
		"owner unreplaced":   {EffectFinal, false, []Seat{{Named: PartKeyOwner, Count: 1}}, who, Rule{}, true},
		"undo":               {EffectFinal, true, nil, who, Rule{[]Seat{{Group: "secops", Count: 2}}, []string{"olga"}}, false},
		"same person twice":  {EffectFinal, false, nil, Parties{Starter: "olga", KeyOwner: "olga"}, Rule{[]Seat{{Group: "secops", Count: 2}}, []string{"olga"}}, false},
		"many owners":        {EffectFinal, false, nil, Parties{Starter: "sam", KeyOwner: "olga", Owners: []string{"kim"}}, Rule{[]Seat{{Group: "secops", Count: 2}}, []string{"kim", "olga", "sam"}}, false},
		"observe needs none": {EffectObserve, false, nil, who, Rule{[]Seat{}, []string{}}, false},
		"unknown effect":     {"explode", false, nil, who, Rule{}, true},
		"zero count":         {EffectFinal, false, []Seat{{Group: "secops"}}, who, Rule{}, true},
		"two owners":         {EffectFinal, false, []Seat{owner, owner}, who, Rule{}, true},
	} {
		got, err := DefaultPolicy().Rule(c.effect, c.undo, c.asked, c.who)
		if (err != nil) != c.fails || (err == nil && !reflect.DeepEqual(got, c.want)) {
			t.Errorf("%s:\n got %+v (%v)\nwant %+v", name, got, err, c.want)
		}
	}
	if r, err := (Policy{}).Rule(EffectFinal, false, []Seat{{Group: "secops", Count: 2}}, who); err == nil {
		t.Errorf("an empty policy gave the rule %+v", r)
	}
}

func TestDurationsAreReadAsWritten(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{"4h": 4 * time.Hour, "10m": 10 * time.Minute, "3d": 72 * time.Hour, "1d12h": 36 * time.Hour, "0s": 0, "90s": 90 * time.Second} {
		if d, err := ParseDuration(text); err != nil || d.Std() != want {
			t.Errorf("%s: %s (%v)", text, d.Std(), err)
		}
	}
	for _, bad := range []string{"", "4", "h", "-4h", "1.5h", "4h ", "1h1d", "1h1h", "1w", "5ms", "999999999999d", "99999999999999999999s"} {
		if d, err := ParseDuration(bad); err == nil {
			t.Errorf("%q was read as %s", bad, d)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		d := Duration(rapid.Int64Range(0, 1e9).Draw(t, "seconds")) * Duration(time.Second)
		if back, err := ParseDuration(d.String()); err != nil || back != d {
			t.Fatalf("%s came back as %s (%v)", d, back, err)
		}
	})
}
