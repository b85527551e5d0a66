package workflows_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/wire"
)

func each(more, steps string) string {
	return playbook("  - id: all\n    for_each: ${{ key.dependents }}\n    as: dependent\n" + more + "    steps:\n" + steps + probeStep)
}

const checkStep = "      - { id: check, uses: dependent.check, with: { dependent: \"${{ dependent }}\" }, retry: { attempts: 1 } }\n"

func TestALoopFreezesItsListBeforeTheFirstItem(t *testing.T) {
	t.Parallel()
	d := newDrive(t).compile(playbook(`
  - { id: seen, uses: persistence.scan, with: { key: "${{ key }}", since: "${{ now() }}" } }
  - id: all
    for_each: "${{ map(incident.alerts, #.id) }}"
    as: name
    steps:
      - { id: tell, uses: incident.update, with: { text: "${{ name }}" } }
      - { id: rest, wait: 1h }
` + probeStep))
	d.env.RegisterDelayedCallback(func() {
		d.env.SignalWorkflow(wire.SignalAlerts, []map[string]any{{"id": "a2"}})
	}, 30*time.Minute)
	d.run().wants("contained").wantsSteps("seen all[0]/tell dead")
}

func TestTheListOfASignedLoopIsFrozenWhenItIsPrepared(t *testing.T) {
	t.Parallel()
	d := newDrive(t).compile(playbook(`
  - id: all
    for_each: ${{ filter(key.dependents, now() < alert.observed_at + duration("30s")) }}
    as: dependent
    signoff: { by: [{ group: secops, count: 2 }], within: 1h }
    steps:
      - { id: give, uses: dependent.update, with: { dependent: "${{ dependent }}", key: "${{ key }}" } }
` + probeStep)).act(both("all", 1)...)
	d.run().wants("contained").wantsSteps("all[0]/give all[1]/give all[2]/give dead")
}

func TestAListThatIsAskedAnewKeepsItsPlaces(t *testing.T) {
	t.Parallel()
	d := newDrive(t).compile(playbook(`
  - id: all
    for_each: "${{ filter(key.dependents, #.id != \"shop\" || now() < alert.observed_at + duration(\"30s\")) }}"
    as: dependent
    signoff: { by: [{ group: secops, count: 2 }], within: 1h }
    steps:
      - { id: give, uses: dependent.update, with: { dependent: "${{ dependent }}", key: "${{ key }}" } }
` + probeStep)).act(both("all", 1)...).act(both("all", 2)...)
	d.house.fakes["step:all[1]/give"] = once(refused(wire.ErrDrifted, "changed"))
	d.run().wants("contained").wantsSteps("all[0]/give all[1]/give all[2]/give dead")
	if again := d.house.views[1].Envelope.Calls; len(again) != 2 || again[0].Inputs["dependent"].(map[string]any)["id"] != "blog" {
		t.Errorf("asked anew was %v", again)
	}
}

func TestAFailedItemParksAloneAndTheOthersGoOn(t *testing.T) {
	t.Parallel()
	d := newDrive(t).compile(each("    at_once: 2\n", checkStep)).act(answer("all[0]/check", 5*time.Hour, "ana", "Retry"))
	d.house.fakes["step:all[0]/check"] = once(broken("down"))
	d.run().wants("contained").wantsSteps("all[1]/check all[2]/check all[0]/check dead")
}

func TestStopStartsNoNewItems(t *testing.T) {
	t.Parallel()
	d := newDrive(t).compile(each("", checkStep)).act(answer("all[0]/check", time.Minute, "ana", "Stop"))
	d.house.fakes["step:all[0]/check"] = once(broken("down"))
	d.run().wants("stopped").wantsSteps("")
	if len(d.house.tries("all[1]/check")) != 0 {
		t.Error("a new item was started")
	}
}

func TestAtOnceBoundsItems(t *testing.T) {
	t.Parallel()
	for atOnce, last := range map[string]time.Duration{"1": 3 * time.Hour, "2": 2 * time.Hour, "3": time.Hour} {
		d := newDrive(t).compile(each("    at_once: "+atOnce+"\n", "      - { id: rest, wait: 1h }\n"+checkStep)).run().wants("contained")
		if got := d.house.tries("all[2]/check")[0].when.Sub(start()); got != last {
			t.Errorf("with at_once %s the last item ended after %s, wanted %s", atOnce, got, last)
		}
	}
}

func TestALoopsOutputsAreInItemOrderAndHoldOnlyWhatIsTheItems(t *testing.T) {
	t.Parallel()
	d := newDrive(t).compile(playbook(`
  - { id: before, uses: incident.update, with: { text: x } }
  - id: all
    for_each: ${{ key.dependents }}
    as: dependent
    at_once: 3
    steps:
      - { id: rest, if: dependent.id == "shop", wait: 1h }
      - { id: check, uses: dependent.check, with: { dependent: "${{ dependent }}" }, on_error: continue }
  - { id: tell, uses: incident.update, with: { text: "${{ join(map(steps.all.outputs, #.item.id + \" \" + #.status + \" \" + #.steps.check.status + \" \" + string(len(#.steps))), \", \") }}" } }
` + probeStep))
	d.house.fakes["step:all[1]/check"] = failing("no")
	d.run().wants("contained")
	if got := d.house.tries("tell")[0].With["text"]; got != "shop done done 2, blog done failed 2, mail done done 2" {
		t.Errorf("the outputs are %q", got)
	}
}

func TestALongListIsAnErrorAndNoHang(t *testing.T) {
	t.Parallel()
	d := newDrive(t).compile(playbook("  - { id: find, uses: persistence.scan, with: { key: \"${{ key }}\", since: \"${{ now() }}\" } }\n" +
		"  - id: all\n    for_each: ${{ steps.find.outputs.items }}\n    as: name\n    steps:\n      - { id: tell, uses: incident.update, with: { text: \"${{ name }}\" } }\n"))
	d.house.fakes["persistence.scan"] = func(wire.Call) (wire.Result, error) {
		return result("found", 501, "items", make([]string, 501), "summary", ""), nil
	}
	d.run().wants("failed").wantsSteps("find")
	if !strings.Contains(d.ended.Why, "501 items") {
		t.Errorf("the reason is %q", d.ended.Why)
	}
}
