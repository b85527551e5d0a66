package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
)

// hasty makes the new key before anybody says whether it was abuse.
const hasty = `schema: tourniquet/v1
id: llmjacking
title: A stolen key, replaced before anybody looked
owner: secops
trigger: { if: alert.kind == "key.leaked" }
steps:
  - { id: open_incident, uses: incident.open, with: { title: Stolen key } }
  - { id: contain, uses: key.contain, with: { key: "${{ key }}" } }
  - { id: fresh, uses: key.create, with: { like: "${{ key }}" } }
  - id: triage
    ask: { from: secops, prompt: "Abuse?", choices: [abuse, legitimate], within: 30m, otherwise: abuse }
  - { id: false_alarm, if: steps.triage.outputs.choice == "legitimate", end: false_alarm }
  - { id: over, end: stopped }
finally:
  - id: stand_down
    if: run.outcome == "false_alarm"
    uses: incident.close
    with: { summary: "False alarm, says ${{ steps.triage.outputs?.by ?? \"nobody\" }}", resolution: false_positive }
`

// forced is what the API says of a run's effects.
type forced struct {
	InForce []forcedRow `json:"in_force"`
	Undone  []forcedRow `json:"undone"`
}

type forcedRow struct{ Step, Action, Target string }

func steps(rows []forcedRow) (out []string) {
	for _, r := range rows {
		out = append(out, r.Step)
	}
	return out
}

// serves replaces the shipped playbooks by one.
func (h *product) serves(t *testing.T, playbook string) {
	t.Helper()
	if err := os.Mkdir(filepath.Join(h.dir, "playbooks"), 0o700); err != nil {
		t.Fatal(err)
	}
	config, err := os.ReadFile(h.config())
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(h.dir, "playbooks", "llmjacking.yaml"), playbook)
	write(t, h.config(), string(config)+"\nplaybooks: { dir: playbooks }\n")
}

func TestAFalseAlarmDeletesTheUnusedNewKeyOnceAndGivesTheOldOneBack(t *testing.T) {
	t.Parallel()
	program := built(t, shop.honest)
	turn(t)
	s, h := openStage(t, program)
	h.serves(t, hasty)
	h.start(t)
	h.signIn(t)
	h.webhook(t, s.GitHubURL, s.AlertNumber)
	s.slack.answer(t, ana, "legitimate")
	undo := s.slack.open(t)
	run, err := h.onlyRun(t)
	if err != nil {
		t.Fatal(err)
	}
	var now forced
	h.read(t, "/v1/runs/"+run.ID, &now)
	if !slices.Equal(steps(now.InForce), []string{"contain", "fresh"}) || now.InForce[1].Action != "key.discard" {
		t.Errorf("in force is %+v", now.InForce)
	}
	fresh := s.made()
	if shown := h.command(t, "run", "show", run.ID); !strings.Contains(shown, "key.discard") || !strings.Contains(shown, fresh) {
		t.Errorf("run show does not say that %s is in force:\n%s", fresh, shown)
	}
	if calls := finals(s.World.Entries()); len(calls) != 0 {
		t.Fatalf("called before anybody signed: %+v", calls)
	}
	s.slack.approve(t, ana, undo)
	s.slack.approve(t, bo, undo)
	eventually(t, 40*time.Second, func() error {
		if run, err = h.onlyRun(t); err == nil && run.State != "done" {
			err = fmt.Errorf("run %s is %s", run.ID, run.State)
		}
		return err
	})
	now = forced{}
	if h.read(t, "/v1/runs/"+run.ID, &now); run.Outcome != "false_alarm" || len(now.InForce) != 0 || len(now.Undone) != 2 {
		t.Errorf("%s, in force is %+v, taken back %+v", run.Outcome, now.InForce, now.Undone)
	}
	h.serve.end(t)
	deleted := finals(s.World.Entries())
	if len(deleted) != 1 || deleted[0].Method != "DELETE" || !strings.HasSuffix(deleted[0].Path, "/"+fresh) || len(approvers(s.World.Entries(), undo, deleted[0])) != 2 {
		t.Errorf("the new key is %s, final were %+v", fresh, deleted)
	}
	if n := count(s.World.Entries(), "PATCH", "/keys/"+s.Key.ID); n != 2 { // contained, and given back
		t.Errorf("the stolen key was changed %d times", n)
	}
	alert := s.GitHub.Alert("example-org", "shop", s.AlertNumber)
	tickets := s.GitHub.Issues("example-org", "incidents")
	if alert.Resolution != "false_positive" || len(tickets) != 1 || tickets[0].State != "closed" || !strings.Contains(strings.Join(tickets[0].Comments, "\n"), "says ana") {
		t.Errorf("GitHub's alert %+v, the ticket %+v", alert, tickets)
	}
}

// made is the key that the world made last.
func (s *stage) made() (id string) {
	for _, e := range s.World.Entries() {
		if e.Method == "POST" && strings.HasSuffix(e.Path, "/keys") && e.Status < 400 {
			id = e.Key
		}
	}
	return id
}

// count is how often the world obeyed a method on paths with this end.
func count(log []sandbox.Entry, method, end string) (n int) {
	for _, e := range log {
		if e.Method == method && strings.HasSuffix(e.Path, end) && e.Status < 400 {
			n++
		}
	}
	return n
}

// What a run that was stopped left in force is taken back by a run of its own, which asks people who did not start it.
func TestWhatAStoppedRunLeftInForceIsTakenBackByRunUndo(t *testing.T) {
	t.Parallel()
	program := built(t, shop.honest)
	turn(t)
	s, h := openStage(t, program)
	h.start(t)
	h.signIn(t)
	h.webhook(t, s.GitHubURL, s.AlertNumber)
	s.slack.answer(t, ana, "abuse")
	replace := s.slack.open(t)
	run, err := h.onlyRun(t)
	if err != nil {
		t.Fatal(err)
	}
	h.command(t, "run", "cancel", run.ID, "--reason", "it was our own job after all")
	var now forced
	eventually(t, 20*time.Second, func() error {
		if run, err = h.onlyRun(t); err == nil && run.State != "done" {
			err = fmt.Errorf("run %s is %s", run.ID, run.State)
		}
		return err
	})
	if h.read(t, "/v1/runs/"+run.ID, &now); !slices.Contains(steps(now.InForce), "first_minute/stop_the_spend/contain") {
		t.Fatalf("in force is %+v", now.InForce)
	}
	lead := h.as(t, "lee", "kim") // whoever starts it may not sign
	second := strings.TrimSpace(lead.command(t, "run", "undo", run.ID, "--reason", "it was our own job after all"))
	undo := s.slack.open(t, replace)
	s.slack.approve(t, ana, undo)
	s.slack.approve(t, bo, undo)
	eventually(t, 40*time.Second, func() error {
		var r struct{ Run struct{ State string } }
		if h.read(t, "/v1/runs/"+second, &r); r.Run.State != "done" {
			return fmt.Errorf("run %s is %q", second, r.Run.State)
		}
		return nil
	})
	now = forced{}
	if h.read(t, "/v1/runs/"+run.ID, &now); len(now.InForce) != 0 || !slices.Contains(steps(now.Undone), "first_minute/stop_the_spend/contain") {
		t.Errorf("in force is %+v, taken back %+v", now.InForce, now.Undone)
	}
	h.serve.end(t)
	if n := count(s.World.Entries(), "PATCH", "/keys/"+s.Key.ID); n != 2 || len(finals(s.World.Entries())) != 0 {
		t.Errorf("the key was changed %d times, final were %+v", n, finals(s.World.Entries()))
	}
}

// as is the same product with the token of somebody else.
func (h *product) as(t *testing.T, who, by string) *product {
	t.Helper()
	other := *h
	other.token = strings.TrimSpace(h.command(t, "person", "token", "--for", who, "--issued-by", by))
	return &other
}
