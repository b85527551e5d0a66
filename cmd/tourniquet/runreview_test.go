package main

import (
	"encoding/csv"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tourniquet-ir/tourniquet/internal/report"
	"github.com/tourniquet-ir/tourniquet/internal/report/reporttest"
)

func TestLessonsAndNextStepsComeInByCommand(t *testing.T) {
	t.Parallel()
	o := opened(t)
	if got := command(t, o.env, "run", "lesson", reporttest.RunID, "--text", "keys leak"); got.code != exitGood || !strings.Contains(got.out, "written down") {
		t.Errorf("exit %d: %s%s", got.code, got.out, got.talk)
	}
	for name, c := range map[string]struct {
		args []string
		code int
	}{
		"no text":         {[]string{"lesson", reporttest.RunID}, exitMisuse},
		"no owner":        {[]string{"next", reporttest.RunID, "--text", "x"}, exitMisuse},
		"done with owner": {[]string{"next", reporttest.RunID, "--done", "3", "--owner", "dana"}, exitMisuse},
		"nobody":          {[]string{"next", reporttest.RunID, "--text", "x", "--owner", "mallory"}, exitMisuse},
	} {
		if got := command(t, o.env, append([]string{"run"}, c.args...)...); got.code != c.code {
			t.Errorf("%s: exit %d, want %d: %s%s", name, got.code, c.code, got.out, got.talk)
		}
	}
}

func TestTheTimelineAndTheRefundPackComeByCommand(t *testing.T) {
	t.Parallel()
	o := opened(t)
	got := command(t, o.env, "run", "timeline", reporttest.RunID, "-f", "csv")
	if rows, err := csv.NewReader(strings.NewReader(got.out)).ReadAll(); err != nil || len(rows) < 10 || rows[0][0] != "seq" {
		t.Errorf("the table: exit %d, %v, %.200s%s", got.code, err, got.out, got.talk)
	}
	if got := command(t, o.env, "run", "timeline", reporttest.RunID); got.code != exitGood || !strings.Contains(got.out, "key.contain done") || strings.ContainsAny(got.out, "\u202e\u200b") {
		t.Errorf("the text: exit %d, %.300s", got.code, got.out)
	}
	if got := command(t, o.env, "run", "timeline", reporttest.RunID, "-f", "xml"); got.code != exitMisuse {
		t.Errorf("xml: exit %d", got.code)
	}
	pack := filepath.Join(t.TempDir(), "refund.zip")
	if got := command(t, o.env, "run", "refund", reporttest.RunID, "--out", pack); got.code != exitGood {
		t.Fatalf("the pack: exit %d, %s%s", got.code, got.out, got.talk)
	}
	var said struct{ Verified, Redacted bool }
	if got := command(t, nil, "evidence", "verify", pack, "--key", keyFile(t, o.signer.PublicKeys()), "-o", "json"); json.Unmarshal([]byte(got.out), &said) != nil || !said.Verified || !said.Redacted {
		t.Errorf("the pack verifies as %s%s", got.out, got.talk)
	}
	if got := command(t, nil, "run", "schema"); got.out != string(report.SchemaFile()) {
		t.Errorf("the schema is %.100s", got.out)
	}
}
