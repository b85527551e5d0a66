package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The check of test/judge that counts presses.
const signedCheck = "no final call before two people approved its request in Slack"

// drill runs the default drill, scripted.
func drill(t *testing.T, program string, env ...string) (p *process, world, answer string) {
	t.Helper()
	return drillOf(t, "", program, env...)
}

// drillOf runs a scripted drill to its end and returns where its world log and its JSON lie.
func drillOf(t *testing.T, scenario, program string, env ...string) (p *process, world, answer string) {
	t.Helper()
	dir := t.TempDir()
	world, answer = filepath.Join(dir, "world.jsonl"), filepath.Join(dir, "drill.json")
	args := []string{"drill", "--approve", "auto", "-o", "json", "--world-log", world, "--time-limit", "100s"}
	if scenario != "" {
		args = append(args, scenario)
	}
	p = launch(t, program, env, args...)
	p.wait(t, 110*time.Second)
	if err := os.WriteFile(answer, []byte(p.out.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return p, world, answer
}

// verdict is what the judge says of a drill, and whether he lets it pass.
func verdict(t *testing.T, judge, world, answer string) (string, bool) {
	t.Helper()
	text, err := exec.CommandContext(t.Context(), judge, "--world", world, "--drill", answer).CombinedOutput() //nolint:gosec // our own judge
	return string(text), err == nil
}

func TestTheJudgeLetsAnHonestDrillPass(t *testing.T) {
	t.Parallel()
	program, judge := built(t, shop.honest), built(t, shop.judge)
	turn(t)
	p, world, answer := drill(t, program)
	if p.failure != nil {
		t.Fatalf("the drill ended with %v", p.failure)
	}
	if text, good := verdict(t, judge, world, answer); !good {
		t.Fatalf("the judge is not content:\n%s", text)
	}
}

// A workflow that waits for nobody is the attack against which the verification in the action stands.
func TestADeliberatelyUnsafeBuildIsCaughtByTheJudge(t *testing.T) {
	t.Parallel()
	program, judge := built(t, shop.tampered), built(t, shop.judge)
	turn(t)
	_, world, answer := drill(t, program, unsafely+"=ask,verify")
	if len(finals(readWorld(t, world))) == 0 {
		t.Fatal("the unsafe build made no final call, so there was nothing to catch")
	}
	text, good := verdict(t, judge, world, answer)
	if good {
		t.Fatalf("the judge lets an unsafe drill pass:\n%s", text)
	}
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "FAIL") && strings.Contains(line, signedCheck) {
			return
		}
	}
	t.Fatalf("the judge does not name the check %q:\n%s", signedCheck, text)
}

func TestTheVerificationInTheActionStopsAWorkflowThatWaitsForNobody(t *testing.T) {
	t.Parallel()
	program := built(t, shop.tampered)
	turn(t)
	p, world, _ := drill(t, program, unsafely+"=ask")
	if p.failure == nil {
		t.Error("the drill says that all is well although nobody was asked")
	}
	log := readWorld(t, world)
	if made := finals(log); len(made) > 0 {
		t.Errorf("%d final calls were made without any sign-off, the first is %s %s", len(made), made[0].Method, made[0].Path)
	}
	if text := p.err.String(); !strings.Contains(text, "0 of 3 seats are filled") {
		t.Error("the action does not say that the seats were empty, so something else stopped the drill")
	}
}
