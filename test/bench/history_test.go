package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestWhatWasKeptIsComparedWithWhatComesOutNow(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "history.jsonl")
	if last, err := lastKept(path); last != nil || err != nil {
		t.Errorf("without a history: %v, %v", last, err)
	}
	lines := `{"date":"2026-01-01","commit":"aaa","machine":"a small one","report":{"cores":1,"ratios":[{"at_once":1,"p50":4,"runs_per_second":0.2}]}}
{"date":"2026-02-01","commit":"bbb","machine":"a small one","report":{"cores":1,"ratios":[{"at_once":1,"p50":2,"runs_per_second":0.5}],"postgres":{"ratios":[{"at_once":1,"p50":3,"runs_per_second":0.4}]}}}
`
	if err := os.WriteFile(path, []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	last, err := lastKept(path)
	if err != nil || last.Commit != "bbb" {
		t.Fatalf("%+v, %v", last, err)
	}
	now := &report{Ratios: []ratio{{1, 1.5, 0.6}}, Idle: &idle{MiB: 200}, before: last}
	var out bytes.Buffer
	if err := now.compare(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"beside bbb of 2026-02-01", "this machine is another", "2.00  1.50  -25 %", "0.50  0.60  +20 %", "idle serve: MiB"} {
		if !strings.Contains(strings.Join(strings.Fields(out.String()), " "), strings.Join(strings.Fields(want), " ")) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
	if err := os.WriteFile(path, []byte(lines+"{}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := lastKept(path); err == nil || !strings.Contains(err.Error(), "history.jsonl:3") {
		t.Errorf("a damaged history: %v", err)
	}
}

func TestTwoWorkersAreJudgedWhereTheWorkersAreWhatLimits(t *testing.T) {
	t.Parallel()
	rows := []scaled{{Workers: 1, OfOne: 1}, {Workers: 2, OfOne: 1}, {Workers: 1, Share: 5, OfOne: 1}, {Workers: 2, Share: 5, OfOne: 1.4}}
	if aims := scaleAims(rows); len(aims) != 1 || aims[0].Met {
		t.Errorf("%+v", aims)
	}
	rows[3].OfOne = 1.9
	if aims := scaleAims(rows); len(aims) != 1 || !aims[0].Met {
		t.Errorf("%+v", aims)
	}
}

// A process that does nothing but compute shows that it is held back, and that it is let go in the end.
func TestASlowedProcessIsLetGo(t *testing.T) {
	t.Parallel()
	busy := exec.CommandContext(t.Context(), "sh", "-c", "while :; do :; done")
	if err := busy.Start(); err != nil {
		t.Fatal(err)
	}
	pid := busy.Process.Pid
	began := time.Now()
	stop := slowDown([]int{pid}, 10)
	for time.Since(began) < time.Second {
		if _, ok := cpuTime(pid); !ok {
			t.Fatal("the process is gone")
		}
	}
	held, _ := cpuTime(pid)
	stop()
	if most := time.Since(began) / 2; held > most {
		t.Errorf("held back to a tenth it took %s in %s", held, 2*most)
	}
	for until := time.Now().Add(20 * time.Second); ; {
		if now, _ := cpuTime(pid); now > held+50*time.Millisecond {
			break
		}
		if time.Now().After(until) {
			t.Fatal("it was not let go")
		}
	}
	if err := busy.Process.Kill(); err != nil {
		t.Error(err)
	}
	_ = busy.Wait() // it was killed
}
