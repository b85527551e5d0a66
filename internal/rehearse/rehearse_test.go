package rehearse_test

import (
	"bytes"
	"encoding/xml"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/diag"
	"github.com/tourniquet-ir/tourniquet/internal/rehearse"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

var update = flag.Bool("update", false, "write the .out files anew")

// cards are a few actions that stay as they are, whatever becomes of the real ones.
func cards() playbooks.Catalog {
	key := []playbooks.Field{{Name: "key", Type: playbooks.TypeKey, Required: true}}
	out := func(spec ...string) (all []playbooks.Field) {
		for i := 0; i < len(spec); i += 2 {
			all = append(all, playbooks.Field{Name: spec[i], Type: strings.TrimSuffix(spec[i+1], "!"), Required: strings.HasSuffix(spec[i+1], "!")})
		}
		return all
	}
	c := playbooks.Catalog{}
	for _, card := range []playbooks.Card{
		{Name: "key.identify", Effect: signoff.EffectObserve, Outputs: out("key", "key")},
		{Name: "key.probe", Effect: signoff.EffectObserve, Inputs: key, Outputs: out("state", "string!"), Example: map[string]any{"state": "refused"}},
		{Name: "key.revoke", Effect: signoff.EffectFinal, Inputs: key, TargetInput: "key", Attempts: 1},
		{Name: "key.contain", Effect: signoff.EffectUndoable, Inputs: key, TargetInput: "key", Undo: "key.restore"},
		{Name: "key.restore", Effect: signoff.EffectFinal, Inputs: key, TargetInput: "key", Attempts: 1},
		{Name: "usage.snapshot", Effect: signoff.EffectObserve, Inputs: append(key, playbooks.Field{Name: "since", Type: playbooks.TypeTime, Required: true}),
			Outputs: out("requests", "int!", "cost_usd", "float", "new_addresses", "strings", "evidence", "string"), Example: map[string]any{"requests": 9}},
	} {
		c[card.Name] = card
	}
	return c
}

func compiled(t *testing.T, src []byte) *playbooks.Program {
	t.Helper()
	p, faults := playbooks.Compile("small.yaml", src, playbooks.World{Actions: cards(), Groups: map[string]int{"secops": 3}})
	if p == nil {
		t.Fatal(diag.Text(src, faults))
	}
	return p
}

func small(t *testing.T) []byte {
	t.Helper()
	src, err := os.ReadFile("testdata/small.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return src
}

// faultsOf are all that reading and binding find.
func faultsOf(p *playbooks.Program, name string, body []byte) []diag.Fault {
	f, faults := rehearse.Read(name, body)
	if f == nil {
		return faults
	}
	return f.Bind(p, cards())
}

func TestEveryFaultOfATestFileIsReportedAsItsGoldenFileSays(t *testing.T) {
	t.Parallel()
	p := compiled(t, small(t))
	files, err := filepath.Glob("testdata/err/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no pairs found: %v", err)
	}
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		faults := faultsOf(p, filepath.Base(file), body)
		if len(faults) == 0 {
			t.Errorf("%s has no fault", file)
		}
		got, out := diag.Text(body, faults), strings.TrimSuffix(file, ".yaml")+".out"
		if *update {
			if err := os.WriteFile(out, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if want, err := os.ReadFile(out); err != nil || string(want) != got {
			t.Errorf("%s: got\n%s\nwant\n%s", file, got, want)
		}
	}
}

const given = `playbook: small.yaml
people: { ana: [secops], bo: [secops], kim: [secops], eve: [] }
alert: { kind: key.leaked, severity: high, key: { provider: gemini, account: demo, id: k1, owner: kim } }
tests:
`

func played(t *testing.T, src []byte, tests string) rehearse.Report {
	t.Helper()
	body := []byte(given + tests)
	p := compiled(t, src)
	if faults := faultsOf(p, "small_test.yaml", body); len(faults) > 0 {
		t.Fatal(diag.Text(body, faults))
	}
	f, _ := rehearse.Read("small_test.yaml", body)
	f.Bind(p, cards())
	return f.Run(rehearse.Options{Policy: signoff.DefaultPolicy()})
}

// signed answers triage and approves the revocation.
const signed = `    answers: [{ step: triage, at: 1m, by: ana, choice: abuse }]
    decisions: [{ step: revoke, at: 1m, by: ana, do: approve }, { step: revoke, at: 2m, by: bo, do: approve }]
`

func TestWhatDiffersIsSaidAtItsPlace(t *testing.T) {
	t.Parallel()
	for expect, want := range map[string]string{
		"outcome: stopped":                                   `the outcome is "contained", not "stopped"`,
		"called: [key.contain]":                              "key.contain was not called; called were",
		"never_called: [key.revoke]":                         `key.revoke was called by step "revoke" after 3m0s`,
		"never_called: [step:dead]":                          `step:dead was called by step "dead"`,
		"order: [key.probe, key.revoke]":                     "key.revoke was called (after 3m0s) before key.probe was over",
		"order: [key.revoke, key.contain]":                   "key.contain was not called, so it has no place",
		"time: { key.revoke: 1m }":                           "key.revoke came after 3m0s, later than 1m0s",
		"time: { run: { from: 1h } }":                        "run came after 3m0s, earlier than 1h0m0s",
		"time: { key.contain: 1m }":                          "key.contain was not called, so it has no time",
		"asked: [usage]":                                     `step "usage" asked nobody`,
		"never_asked: [revoke]":                              `step "revoke" asked people`,
		"status: { revoke: skipped }":                        `step "revoke" is "done", not "skipped"`,
		"in_force: [revoke]":                                 "revoke is not in force at the end",
		"starts: false":                                      "the alert starts the playbook",
		"outcome: contained, called: [key.revoke]":           "",
		"time: { key.revoke: { from: 3m, to: 3m } }":         "",
		"order: [usage.snapshot, key.revoke, \"step:dead\"]": "",
	} {
		t.Run(expect, func(t *testing.T) {
			t.Parallel()
			r := played(t, small(t), "  - name: it\n"+signed+"    expect: { "+expect+" }\n")
			text := rehearse.Text([]rehearse.Report{r})
			if want == "" {
				if !r.OK() {
					t.Error(text)
				}
				return
			}
			if r.OK() || !strings.Contains(text, want) || !strings.Contains(text, "small_test.yaml:8:") {
				t.Errorf("wanted %q in\n%s", want, text)
			}
		})
	}
}

func TestPeopleReallySignAndRefusalsAreThoseOfTheRealCheck(t *testing.T) {
	t.Parallel()
	r := played(t, small(t), `  - name: every refusal
    answers:
      - { step: triage, at: 30s, by: eve, choice: abuse, refused: not_eligible }
      - { step: triage, at: 1m, by: ana, choice: abuse }
      - { step: triage, at: 2m, by: bo, choice: legitimate, refused: closed }
    decisions:
      - { step: revoke, at: 1m, by: eve, do: approve, refused: not_eligible }
      - { step: revoke, at: 2m, by: kim, do: approve, refused: excluded }
      - { step: revoke, at: 3m, by: ana, do: approve, stale: true, refused: stale_digest }
      - { step: revoke, at: 4m, by: ana, do: approve }
      - { step: revoke, at: 5m, by: ana, do: approve, refused: already_counted }
      - { step: revoke, at: 6m, by: bo, do: reject, reason: "", refused: no_reason }
      - { step: revoke, at: 2h, by: bo, do: approve, refused: expired }
    expect: { outcome: stopped, never_called: [key.revoke] }
  - name: what is not refused is a difference
    decisions: [{ step: revoke, at: 1m, by: ana, do: approve, refused: excluded }, { step: revoke, at: 1m, by: ana, do: approve, nth: 2 }]
    expect: { outcome: stopped }
`)
	text := rehearse.Text([]rehearse.Report{r})
	if !r.Tests[0].OK || r.Tests[1].OK {
		t.Fatal(text)
	}
	for _, want := range []string{`ana approves "revoke" after 1m0s: accepted, not refused as excluded`, "never asked, not accepted (the step asked 1 times)"} {
		if !strings.Contains(text, want) {
			t.Errorf("wanted %q in\n%s", want, text)
		}
	}
}

func TestCoverageNamesEveryStepAndArmThatNoTestReached(t *testing.T) {
	t.Parallel()
	r := played(t, small(t), "  - name: it\n"+signed+"    expect: { outcome: contained }\n")
	var missing []string
	for _, p := range r.Coverage.Missing {
		missing = append(missing, p.Step+": "+p.What)
	}
	want := []string{
		": the trigger does not hold", "usage: it fails and the run goes on", `triage: somebody answers "legitimate"`, "triage: nobody answers in time",
		"revoke: its condition does not hold", "revoke: its sign-off is rejected", "revoke: its sign-off runs out of time",
	}
	if strings.Join(missing, "; ") != strings.Join(want, "; ") || r.Coverage.Steps != 4 || r.Coverage.StepsReached != 4 {
		t.Errorf("%s; missing\n%s\nwant\n%s", r.Coverage, strings.Join(missing, "\n"), strings.Join(want, "\n"))
	}
}

func TestJUnitHoldsEveryTestAndWhatDiffered(t *testing.T) {
	t.Parallel()
	r := played(t, small(t), "  - name: good <&>\n    expect: { outcome: stopped }\n  - name: bad\n    expect: { outcome: contained }\n")
	var out bytes.Buffer
	if err := rehearse.JUnit(&out, []rehearse.Report{r}); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Suites   []struct {
			Cases []struct {
				Name    string  `xml:"name,attr"`
				Failure *string `xml:"failure"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	cases := got.Suites[0].Cases
	if got.Tests != 2 || got.Failures != 1 || cases[0].Name != "good <&>" || cases[0].Failure != nil || !strings.Contains(*cases[1].Failure, "small_test.yaml:8:") {
		t.Errorf("%+v\n%s", got, out.String())
	}
}

// A run that waits for ever is the longest there is: a thousand hours, with a reminder every quarter of an hour.
func TestAThousandVirtualHoursCostSeconds(t *testing.T) {
	t.Parallel()
	began := time.Now()
	r := played(t, small(t), `  - name: parked for good
    mocks: { key.probe: { fails: 403 } }
`+signed+`    expect: { outcome: waiting, time: { run: { from: 1000h } } }
`)
	if took := time.Since(began); !r.OK() || took > 20*time.Second {
		t.Errorf("%s\nafter %s", rehearse.Text([]rehearse.Report{r}), took)
	}
}

func TestHostileTestFilesAreRefusedInBoundedTime(t *testing.T) {
	t.Parallel()
	p := compiled(t, small(t))
	many := "playbook: small.yaml\ntests:\n"
	for i := range 600 {
		many += fmt.Sprintf("  - { name: t%d, expect: { outcome: stopped } }\n", i)
	}
	for name, body := range map[string]string{
		"too large":      "# " + strings.Repeat("x", 300<<10),
		"many tests":     many,
		"deep":           "playbook: small.yaml\nmocks: { key.probe: { state: " + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + " } }\ntests: []\n",
		"bytes":          "playbook: \xff\xfe\x00\n",
		"control":        "playbook: small.yaml\ntests:\n  - name: \"\\e[2J\"\n",
		"merge of a bit": "playbook: small.yaml\nalert: { <<: [1, 2] }\ntests: [{ name: t, expect: { outcome: stopped } }]\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			began := time.Now()
			faults := faultsOf(p, "x_test.yaml", []byte(body))
			if len(faults) == 0 || time.Since(began) > 10*time.Second || strings.Contains(diag.Text([]byte(body), faults), "\x1b") {
				t.Errorf("%d faults after %s", len(faults), time.Since(began))
			}
		})
	}
}

func FuzzRead(f *testing.F) {
	for _, pattern := range []string{"testdata/err/*.yaml", "../../playbooks/library/*_test.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			body, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(body)
		}
	}
	src, err := os.ReadFile("testdata/small.yaml")
	if err != nil {
		f.Fatal(err)
	}
	p, _ := playbooks.Compile("small.yaml", src, playbooks.World{Actions: cards(), Groups: map[string]int{"secops": 3}})
	f.Fuzz(func(t *testing.T, body []byte) {
		file, faults := rehearse.Read("x_test.yaml", body)
		if (file == nil) != diag.HasErrors(faults) {
			t.Fatal("a file comes exactly when no fault is an error")
		}
		if file != nil {
			file.Bind(p, cards())
		}
		rehearse.ReadAlert("x.yaml", body, time.Unix(0, 0))
	})
}
