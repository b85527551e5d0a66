package main

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/tourniquet-ir/tourniquet/activities"
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
