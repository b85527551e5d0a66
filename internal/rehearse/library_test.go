package rehearse_test

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/activities"
	"github.com/tourniquet-ir/tourniquet/internal/diag"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/rehearse"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

func world() playbooks.World {
	return playbooks.World{Actions: activities.Catalog(), Groups: map[string]int{"secops": 3, "secops_lead": 1}}
}

// shipped are the playbooks of the library with their tests, by id.
func shipped(t *testing.T) map[string][2][]byte {
	t.Helper()
	out := map[string][2][]byte{}
	names, err := fs.Glob(playbooks.Library, "library/*.yaml")
	if err != nil || len(names) == 0 {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.yaml") {
			continue
		}
		src, err := fs.ReadFile(playbooks.Library, name)
		if err != nil {
			t.Fatal(err)
		}
		tests, err := fs.ReadFile(playbooks.Library, strings.TrimSuffix(name, ".yaml")+"_test.yaml")
		if err != nil {
			t.Fatalf("%s has no test", name)
		}
		out[strings.TrimSuffix(path.Base(name), ".yaml")] = [2][]byte{src, tests}
	}
	return out
}

// rehearsed plays a playbook with its tests; faults of either file come as text.
func rehearsed(name string, src, tests []byte, w playbooks.World) (report *rehearse.Report, faults string) {
	p, found := playbooks.Compile(name+".yaml", src, w)
	if p == nil || len(found) > 0 {
		return nil, diag.Text(src, found)
	}
	f, found := rehearse.Read(name+"_test.yaml", tests)
	if f == nil {
		return nil, diag.Text(tests, found)
	}
	if found := f.Bind(p, w.Actions); len(found) > 0 {
		return nil, diag.Text(tests, found)
	}
	r := f.Run(rehearse.Options{Policy: signoff.DefaultPolicy()})
	return &r, ""
}

func TestTheLibraryPassesItsTestsWhichReachEveryStepAndBranch(t *testing.T) {
	t.Parallel()
	for name, files := range shipped(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, faults := rehearsed(name, files[0], files[1], world())
			if r == nil {
				t.Fatal(faults)
			}
			page, err := os.ReadFile("../../docs/playbooks/" + name + ".md")
			if err != nil || !strings.Contains(string(page), "]("+name+".svg)") {
				t.Errorf("docs/playbooks has no page with a picture for it: %v", err)
			}
			if !r.OK() || len(r.Coverage.Missing) > 0 || r.Coverage.Steps < 5 {
				t.Errorf("\n%s", rehearse.Text([]rehearse.Report{*r}))
			}
		})
	}
}

// TestExactlyOnePlaybookAnswersEachKindOfAlert tries every mixture of what triggers look at.
func TestExactlyOnePlaybookAnswersEachKindOfAlert(t *testing.T) {
	t.Parallel()
	var all []*playbooks.Program
	for name, files := range shipped(t) {
		p, faults := playbooks.Compile(name+".yaml", files[0], world())
		if p == nil {
			t.Fatal(diag.Text(files[0], faults))
		}
		all = append(all, p)
	}
	answered := map[string]int{}
	clues := map[string]incident.Clue{
		"named": {ID: "k1"}, "hinted": {Hint: "AIza…9xQ2"}, "sealed": {SecretHash: "h", Secret: &incident.SecretRef{Handle: "h"}}, "unnamed": {},
		"pointed at": {Where: "https://github.example/acme/shop/secret-scanning/1"},
	}
	for _, kind := range []string{incident.KindKeyLeaked, incident.KindUsageAnomaly, incident.KindSpend, incident.KindWatchBlind} {
		for _, severity := range []string{"low", "medium", "high", "critical"} {
			for _, provider := range []string{"", "gemini", "openai", "anthropic", "bedrock", "azure_openai", "openrouter", "litellm"} {
				for named, clue := range clues {
					clue.Provider = provider
					a := incident.Alert{Kind: kind, Severity: severity, Key: clue}
					what := fmt.Sprintf("%s %s of %q, %s", severity, kind, provider, named)
					picked, said := playbooks.Route(all, a.Env(), a.NamesKey(), time.Now())
					if picked == nil {
						t.Errorf("%s: nobody answers: %+v", what, said)
						continue
					}
					answered[picked.ID]++
					for _, v := range said {
						if v.Answers && v.Playbook != picked.ID && v.Priority == picked.Priority {
							t.Errorf("%s: %s and %s answer with one priority", what, picked.ID, v.Playbook)
						}
					}
				}
			}
		}
	}
	for _, p := range all {
		if answered[p.ID] == 0 && p.Trigger != "" { // without one people start it by hand
			t.Errorf("%s never answers", p.ID)
		}
	}
	resolved := incident.Alert{Kind: incident.KindResolved, Severity: "high", Key: incident.Clue{ID: "k1"}}
	if picked, _ := playbooks.Route(all, resolved.Env(), true, time.Now()); picked != nil {
		t.Errorf("%s answers what is over", picked.ID)
	}
}
