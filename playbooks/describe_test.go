package playbooks_test

import (
	"strings"
	"testing"

	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

func TestDescribeSaysInPlainWordsWhatIsFinalAndWhoSigns(t *testing.T) {
	t.Parallel()
	got := playbooks.Describe(compile(t, "llmjacking.yaml", library(t, "llmjacking.yaml")), signoff.DefaultPolicy())
	for _, want := range []string{
		"key.revoke (FINAL: cannot be undone).", "Must be signed by 2 of secops within 4h; otherwise the run stops.",
		"1 of secops and the key owner (or secops_lead)", "After 500 USD secops_lead is called.",
		"Asks secops to choose abuse, legitimate; without an answer in 30m it is \"abuse\".",
		"Ends the run as false_alarm. What is in force is undone under one sign-off by 2 of secops.",
		"key.contain (changes something that can be undone). Runs by itself where policy allows it, else under policy's default sign-off: 1 of secops.",
		"Policy asks for at least 2 of secops, and does not count the starter or the key owner.",
		"In the end, always:",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in\n%s", want, got)
		}
	}
	last := 0
	for _, id := range []string{"first_minute:", "sessions:", "triage:", "replace:", "revoke:", "dead:", "close_incident:", "page_lead:", "report:"} {
		at := strings.Index(got, " "+id)
		if at < last {
			t.Errorf("%s is out of order", id)
		}
		last = at
	}
}
