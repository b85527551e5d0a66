package e2e

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// rage runs a small storm with serve killed in the middle and the engine away for a while, and gives the judge's verdict.
func rage(t *testing.T, program string, env ...string) (verdict string, good bool) {
	t.Helper()
	storm, judge := built(t, shop.storm), built(t, shop.judge)
	turn(t)
	cmd := exec.CommandContext(t.Context(), storm, "-binary", program, "-judge", judge, "-keep", filepath.Join(t.TempDir(), "storm"), //nolint:gosec // programs that this test built
		"-n", "1500", "-keys", "15", "-clients", "30", "-disturb", "-away", "3s", "-limit", "3m")
	cmd.Env = append(cmd.Environ(), env...)
	text, err := cmd.CombinedOutput()
	return string(text), err == nil
}

func TestAStormLosesNothingWhenServeIsKilledAndTheEngineIsAway(t *testing.T) {
	t.Parallel()
	if text, good := rage(t, built(t, shop.honest)); !good {
		t.Fatalf("the judge is not content:\n%s", text)
	}
}

// The checks of test/judge that must notice an answer that came before its alert was stored.
const lostCheck = "nothing that was acknowledged was lost"

func TestABuildThatAnswersBeforeItStoresIsCaughtByTheJudge(t *testing.T) {
	t.Parallel()
	text, good := rage(t, built(t, shop.tampered), unsafely+"=hasty", killMark+"="+filepath.Join(t.TempDir(), "hasty"))
	if good {
		t.Fatalf("the judge lets it pass:\n%s", text)
	}
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "FAIL") && strings.Contains(line, lostCheck) {
			return
		}
	}
	t.Fatalf("the judge does not name the check %q:\n%s", lostCheck, text)
}
