package main

import (
	"strings"
	"testing"

	"github.com/tourniquet-ir/tourniquet/internal/console"
)

func TestAKeyIsSealedFromStandardInputAndNeverPrinted(t *testing.T) {
	t.Parallel()
	o := opened(t)
	value := "sk-" + random(t)
	got := typed(t, value+"\n", o.env, "key", "seal", "k-1")
	want := console.Act{Person: "marek", Surface: console.SurfaceCLI, Request: "k-1", Verb: "seal", Answer: value + "\n"}
	if acts := o.desk.did(); got.code != exitGood || len(acts) != 1 || acts[0] != want || strings.Contains(got.out+got.talk, value) {
		t.Fatalf("exit %d, did %d acts, said %q %q", got.code, len(acts), got.out, got.talk)
	}
	for name, in := range map[string]string{"nothing": "", "too much": strings.Repeat("a", mostKey+1)} {
		if got := typed(t, in, o.env, "key", "seal", "k-1"); got.code != exitMisuse || len(o.desk.did()) != 1 {
			t.Errorf("%s: exit %d", name, got.code)
		}
	}
	o.desk.accepted, o.desk.code, o.desk.answer = false, "closed", "This question is no longer open."
	if got := typed(t, value, o.env, "key", "seal", "k-1"); got.code != exitPolicy || !strings.Contains(got.talk, o.desk.answer) || strings.Contains(got.out+got.talk, value) {
		t.Errorf("a refusal ends with %d: %q", got.code, got.talk)
	}
}
