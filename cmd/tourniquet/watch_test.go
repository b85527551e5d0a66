package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// recorded is a CSV of a month of an honest key, with a theft in its last three hours where one is wanted.
func recorded(t *testing.T, theft bool) string {
	t.Helper()
	end := time.Date(2026, 2, 12, 12, 0, 0, 0, time.UTC)
	var b strings.Builder
	b.WriteString("time,usd\n")
	for at := end.AddDate(0, 0, -30); at.Before(end); at = at.Add(5 * time.Minute) {
		usd := 0.02
		if theft && !at.Before(end.Add(-3*time.Hour)) {
			usd += 142
		}
		_, _ = fmt.Fprintf(&b, "%s,%.4f\n", at.Format(time.RFC3339), usd)
	}
	path := filepath.Join(t.TempDir(), "usage.csv")
	write(t, path, b.String())
	return path
}

func TestRecordedUsageIsReplayedWithoutAServer(t *testing.T) {
	t.Parallel()
	nowhere := map[string]string{"TOURNIQUET_SERVER": "http://127.0.0.1:1"}
	if r := command(t, nowhere, "watch", "replay", recorded(t, false)); r.code != exitGood || !strings.Contains(r.out, "nothing would have been raised") {
		t.Errorf("honest use: exit %d: %s%s", r.code, r.out, r.talk)
	}
	r := command(t, nowhere, "watch", "replay", recorded(t, true))
	if r.code != exitWaiting || !strings.Contains(r.out, "surge") || !strings.Contains(r.out, "sure") || !strings.Contains(r.out, "2026-02-12") || !strings.Contains(r.out, "are usual") {
		t.Errorf("a theft: exit %d: %s%s", r.code, r.out, r.talk)
	}
	bad := filepath.Join(t.TempDir(), "bad.csv")
	for text, want := range map[string]string{"a,b\n1,2\n": "needs the columns time and usd", "time,usd\nyesterday,1\n": "is no time", "time,usd\n2026-01-01T00:00:00Z,NaN\n": "is no amount", "time,usd\n": "has no rows"} {
		write(t, bad, text)
		if r := command(t, nowhere, "watch", "replay", bad); r.code != exitMisuse || !strings.Contains(r.talk, want) {
			t.Errorf("%q: exit %d: %s%s", text, r.code, r.out, r.talk)
		}
	}
}
