package playbooks_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/diag"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

func routed(t *testing.T, id, trigger string) *playbooks.Program {
	t.Helper()
	src := []byte("schema: tourniquet/v1\nid: " + id + "\ntitle: t\ntrigger: { " + trigger + " }\nsteps:\n  - { id: look, uses: incident.update, with: { text: x } }\n")
	p, faults := playbooks.Compile(id+".yaml", src, world())
	if p == nil {
		t.Fatal(diag.Text(src, faults))
	}
	return p
}

func theAlert() map[string]any {
	return map[string]any{"alert": map[string]any{
		"kind": "key.leaked", "severity": "low", "observed_at": time.Unix(0, 0), "key": map[string]any{"provider": "gemini"},
	}}
}

func TestTheHighestPriorityAnswersAndOfEqualOnesTheFirst(t *testing.T) {
	t.Parallel()
	all := []*playbooks.Program{
		routed(t, "other", `if: alert.kind == "spend.threshold"`), routed(t, "plain", `if: alert.kind == "key.leaked"`),
		routed(t, "special", `if: alert.kind == "key.leaked", priority: 10`), routed(t, "twin", `if: alert.kind == "key.leaked", priority: 10`),
	}
	picked, said := playbooks.Route(all, theAlert(), true, time.Now())
	if picked == nil || picked.ID != "special" {
		t.Fatalf("picked %+v", picked)
	}
	for i, want := range []string{"its trigger is false", "special has the priority 10 and this one 0", "its trigger holds", "special comes first"} {
		if !strings.Contains(said[i].Why, want) || said[i].Picked != (i == 2) {
			t.Errorf("%s: %+v", said[i].Playbook, said[i])
		}
	}
	if picked, said := playbooks.Route(all, theAlert(), false, time.Now()); picked != nil || said[2].Why != "the alert names no key" {
		t.Errorf("without a key %+v was picked; %+v", picked, said)
	}
}

func TestAConditionIsTakenApartWithTheValuesThatItRead(t *testing.T) {
	t.Parallel()
	r := playbooks.Explain(`alert.kind in ["key.leaked", "usage.anomaly"] && (alert.severity != "low" || alert.key.provider == "openai") && len(alert.links) > 0`,
		theAlert(), time.Now())
	got := strings.Join(r.Lines(), "\n")
	want := `no  all of:
  yes alert.kind in ["key.leaked", "usage.anomaly"]   (alert.kind is "key.leaked")
  no  any of:
    no  alert.severity != "low"   (alert.severity is "low")
    no  alert.key.provider == "openai"   (alert.key.provider is "gemini")
`
	if !strings.HasPrefix(got, want) || !strings.Contains(got, "?   len(alert.links) > 0   (") {
		t.Errorf("got\n%s", got)
	}
	if r := playbooks.Explain(`alert.kind ==`, theAlert(), time.Now()); r.Fault == "" || r.Holds {
		t.Errorf("a broken condition gives %+v", r)
	}
}
