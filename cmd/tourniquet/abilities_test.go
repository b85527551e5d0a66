package main

import (
	"flag"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/tourniquet-ir/tourniquet/activities"
	"github.com/tourniquet-ir/tourniquet/internal/config"
	"github.com/tourniquet-ir/tourniquet/internal/diag"
	"github.com/tourniquet-ir/tourniquet/internal/people"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

var writePages = flag.Bool("update", false, "write the pages that are printed anew")

func TestTheActionsPageIsPrintedFromTheCards(t *testing.T) {
	t.Parallel()
	const file = "../../docs/actions.md"
	want := actionPage()
	if *writePages {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Error("docs/actions.md is not what the cards say: go test ./cmd/tourniquet -run ActionsPage -update")
	}
}

func TestEveryActionOnAKeySaysWhoCanDoIt(t *testing.T) {
	t.Parallel()
	for _, a := range activities.All() {
		list := abilities(a)
		if a.Op != "" && len(list) != len(vendors()) || a.Card.Name == "dependent.update" && len(list) != 9 {
			t.Errorf("%s: %d declare something", a.Card.Name, len(list))
		}
		for _, x := range list {
			if x.Can && a.Op != "" && (x.What == "" || x.Reach == "") || !x.Can && x.Why == "" {
				t.Errorf("%s: %s does not say what or why: %+v", a.Card.Name, x.Who, x)
			}
		}
		if strings.HasPrefix(a.Card.Name, "key.") && a.DryRun != nil && a.Op == "" {
			t.Errorf("%s changes a key and names no operation", a.Card.Name)
		}
	}
}

func TestTheLinterKnowsWhatAProviderLeavesToPeople(t *testing.T) {
	t.Parallel()
	source, err := playbooks.Library.ReadFile("library/llmjacking.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		config config.Config
		says   bool
	}{
		"nothing is configured": {config.Config{}, false},
		"only Gemini":           {config.Config{Providers: config.Providers{Gemini: []config.Gemini{{Account: "a"}}}}, false},
		"Gemini and Anthropic":  {config.Config{Providers: config.Providers{Gemini: []config.Gemini{{Account: "a"}}, Anthropic: []config.Anthropic{{Account: "a"}}}}, true},
	} {
		c.config.Groups = map[string]people.Group{"secops": {SlackUsergroup: "S0"}, "secops_lead": {SlackUsergroup: "S1"}}
		p, faults := playbooks.Compile("llmjacking.yaml", source, languageWorld(&c.config))
		said := slices.ContainsFunc(faults, func(f diag.Fault) bool { return f.Rule == "by-hand" && strings.Contains(f.Message, "anthropic") })
		if p == nil || said != c.says {
			t.Errorf("%s: %v", name, faults)
		}
	}
}
