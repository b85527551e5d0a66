package main

import (
	"strings"
	"testing"
)

// Every mutation is caught, but for those that say why they may live; and what lives is really not caught, so that no
// reason outlives its truth.
func TestEveryMutationIsCaughtOrSaysWhyItLives(t *testing.T) {
	t.Parallel()
	results := all()
	for _, r := range results {
		switch what := r.playbook + ": " + r.name; {
		case r.err != nil:
			t.Fatal(r.err)
		case r.by == "" && r.lives == "":
			t.Errorf("%s: nothing catches it", what)
		case r.by != "" && r.lives != "":
			t.Errorf("%s: %s catches it (%s), but the table says that it lives", what, r.by, r.how)
		}
	}
	var out strings.Builder
	caught, err := tell(&out, results)
	if err != nil || caught < least || len(results) < 20 {
		t.Fatalf("%d of %d are caught, %v", caught, len(results), err)
	}
	for _, m := range table() {
		if !strings.Contains(out.String(), m.name) {
			t.Errorf("%q is missing in the table", m.name)
		}
	}
}

func TestAMutationThatChangesNothingIsAnError(t *testing.T) {
	t.Parallel()
	for _, m := range []mutation{
		{playbook: "llmjacking", change: drop("no_such_step")},
		{playbook: "llmjacking", change: swap("revoke", "no such words", "")},
		{playbook: "llmjacking", change: func(s string) (string, error) { return s, nil }},
		{playbook: "no-such-playbook", change: drop("revoke")},
	} {
		if r := try(m); r.err == nil {
			t.Errorf("%+v was tried", m)
		}
	}
}
