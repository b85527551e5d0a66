package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestThePageShowsWhatHappenedAndADashForWhatDidNot(t *testing.T) {
	t.Parallel()
	got := page([]drilled{{
		scenario: scenario{Name: "quiet", Summary: "nobody notices"}, Outcome: "contained",
		Seconds: map[string]float64{"alert_to_contained": 0.04}, USD: map[string]float64{"at_alert": 1.406},
	}})
	if want := "| quiet | contained | – | 0.0 s | – | – | $1.41 | – | – |\n"; !strings.Contains(got, want) || !strings.Contains(got, "- `quiet`: nobody notices.") {
		t.Errorf("%s", got)
	}
}

// A program that lists two scenarios, of which one ends badly, and a judge that disagrees with the other.
func TestADrillThatFailsOrIsJudgedBadWritesNoPage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte("#!/bin/sh\n"+text), 0o700); err != nil { //nolint:gosec // it has to run
			t.Fatal(err)
		}
		return file
	}
	program := write("program", `case "$2" in
list) echo '[{"name":"a","expected":"contained"},{"name":"b","expected":"contained"}]';;
a) echo boom >&2; exit 1;;
b) echo '{"outcome":"contained"}';;
esac`)
	r := rounds{binary: program, judge: write("judge", "echo 'pass  one'; echo 'FAIL  money'; exit 1"), out: filepath.Join(dir, "page.md"), limit: time.Minute}
	err := r.run(context.Background())
	if err == nil || !strings.Contains(err.Error(), "a: the drill ended with exit status 1: boom") || !strings.Contains(err.Error(), "b: the judge disagrees: FAIL  money") {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(r.out); err == nil {
		t.Error("a page was written")
	}
	r.judge = write("fair", "exit 0")
	r.binary = write("good", `case "$2" in
list) echo '[{"name":"b","expected":"contained"}]';;
b) echo '{"outcome":"contained","seconds":{"alert_to_contained":1}}';;
esac`)
	if err := r.run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if body, err := os.ReadFile(r.out); err != nil || !strings.Contains(string(body), "| b | contained | – | 1.0 s |") {
		t.Errorf("%s, %v", body, err)
	}
}
