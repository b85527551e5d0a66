package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/tourniquet-ir/tourniquet/internal/api"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/report"
	"github.com/tourniquet-ir/tourniquet/internal/report/reporttest"
)

func TestRunListNarrowsAndPrintsATable(t *testing.T) {
	t.Parallel()
	o := opened(t)
	got := command(t, o.env, "run", "list", "--state", "waiting")
	if got.code != exitGood || !strings.HasPrefix(got.out, "RUN") || !strings.Contains(got.out, "gemini:acme-prod:keys/4c1f") {
		t.Errorf("exit %d:\n%s%s", got.code, got.out, got.talk)
	}
	if got := command(t, o.env, "run", "list", "--outcome", "contained"); got.code != exitGood || strings.Contains(got.out, reporttest.RunID) {
		t.Errorf("a run without outcome is listed as contained:\n%s", got.out)
	}
	var page page[incident.Run]
	if got := command(t, o.env, "run", "list", "-o", "json"); json.Unmarshal([]byte(got.out), &page) != nil || len(page.Items) != 1 {
		t.Errorf("not the JSON of one run: %s", got.out)
	}
}

func TestRunShowTellsStepsSignoffsAndWhatIsInForceWithoutHostileLetters(t *testing.T) {
	t.Parallel()
	got := command(t, opened(t).env, "run", "show", reporttest.RunID)
	for _, want := range []string{"first_minute/contain", "undoable", "so-open", "1 of 2", "Still in force", "key.restore", "alert", "Outcome: waiting", "lacks logging.privateLogEntries.list"} {
		if !strings.Contains(got.out, want) {
			t.Errorf("%q is missing", want)
		}
	}
	if got.code != exitGood || strings.ContainsAny(got.out, "\u202e\u200b\x1b") || t.Failed() {
		t.Errorf("exit %d:\n%s%s", got.code, got.out, got.talk)
	}
}

func TestAnUnknownRunIsAnErrorInWords(t *testing.T) {
	t.Parallel()
	if got := command(t, opened(t).env, "run", "show", "run-none"); got.code != exitFailed || !strings.Contains(got.talk, `no run "run-none"`) {
		t.Errorf("exit %d, said %q", got.code, got.talk)
	}
}

func TestRunReportComesInThreeFormsAndInAFile(t *testing.T) {
	t.Parallel()
	o := opened(t)
	for form, start := range map[string]string{"md": "#", "json": "{", "html": "<!doctype html>"} {
		file := filepath.Join(t.TempDir(), "report")
		got := command(t, o.env, "run", "report", reporttest.RunID, "-f", form)
		again := command(t, o.env, "run", "report", reporttest.RunID, "-f", form, "--out", file)
		kept, err := os.ReadFile(file)
		if got.code != exitGood || !strings.HasPrefix(strings.ToLower(got.out), start) || err != nil || string(kept) != got.out || again.out != "" {
			t.Errorf("%s: exit %d, starts %.40q, file %v", form, got.code, got.out, err)
		}
	}
	if got := command(t, o.env, "run", "report", reporttest.RunID, "-f", "pdf"); got.code != exitMisuse {
		t.Errorf("pdf: exit %d", got.code)
	}
	if got := command(t, o.env, "run", "report", reporttest.RunID, "-o", "json"); !json.Valid([]byte(got.out)) {
		t.Errorf("-o json gives %.60q", got.out)
	}
}

// moving is a run that is done at the third look.
func moving(t *testing.T, outcome string) map[string]string {
	t.Helper()
	var looks atomic.Int64
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		n := looks.Add(1)
		f := report.Facts{Run: incident.Run{ID: "run-1", State: "running"}}
		for i := range n {
			f.Timeline = append(f.Timeline, report.Moment{Seq: i + 1, Lane: report.LaneSystem, Say: fmt.Sprintf("moment %d", i+1)})
		}
		if n >= 3 && outcome != "" {
			f.Run.State, f.Run.Outcome = "done", outcome
		}
		_ = json.NewEncoder(w).Encode(f)
	}))
	t.Cleanup(srv.Close)
	return map[string]string{"TOURNIQUET_SERVER": srv.URL, "TOURNIQUET_TOKEN": random(t)}
}

func TestRunWatchFollowsToTheEndAndItsExitCodeIsTheOutcome(t *testing.T) {
	t.Parallel()
	for outcome, code := range map[string]int{
		incident.OutcomeContained: exitGood, incident.OutcomeFalseAlarm: exitGood, incident.OutcomeFailed: exitFailed,
		incident.OutcomeStopped: exitFailed, incident.OutcomeCancelled: exitFailed,
	} {
		got := command(t, moving(t, outcome), "run", "watch", "run-1", "--every", "1ms")
		if got.code != code || strings.Count(got.out, "moment") != 3 || !strings.Contains(got.out, strings.ReplaceAll(outcome, "_", " ")) {
			t.Errorf("%s: exit %d, printed\n%s", outcome, got.code, got.out)
		}
	}
}

func TestRunWatchThatTimesOutSaysThatTheRunGoesOn(t *testing.T) {
	t.Parallel()
	got := command(t, moving(t, ""), "run", "watch", "run-1", "--every", "1ms", "--timeout", "50ms")
	if got.code != exitWaiting || !strings.Contains(got.talk, "still going on") {
		t.Errorf("exit %d, said %q", got.code, got.talk)
	}
}

func TestRunWatchInJSONIsOneObjectPerLine(t *testing.T) {
	t.Parallel()
	got := command(t, moving(t, incident.OutcomeContained), "run", "watch", "run-1", "--every", "1ms", "-o", "json")
	lines := strings.Split(strings.TrimSpace(got.out), "\n")
	var last map[string]string
	if len(lines) != 4 || json.Unmarshal([]byte(lines[3]), &last) != nil || last["outcome"] != incident.OutcomeContained {
		t.Errorf("printed %q", got.out)
	}
}

func TestStartingAndCancellingSendTheReason(t *testing.T) {
	t.Parallel()
	sent := make(chan map[string]string, 2)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b := map[string]string{}
		_ = json.NewDecoder(r.Body).Decode(&b)
		sent <- b
		if strings.HasSuffix(r.URL.Path, "/cancel") {
			api.Refuse(w, api.Fault(http.StatusConflict, "ended", "the run has ended already"))
			return
		}
		api.Send(w, http.StatusAccepted, incident.Run{ID: "run-9", State: "running"})
	}))
	t.Cleanup(srv.Close)
	env := map[string]string{"TOURNIQUET_SERVER": srv.URL, "TOURNIQUET_TOKEN": random(t)}
	got := command(t, env, "run", "start", "--playbook", "llmjacking", "--key", "gemini:acme:k", "--reason", "seen in a paste")
	if b := <-sent; got.code != exitGood || got.out != "run-9\n" || b["playbook"] != "llmjacking" || b["key"] != "gemini:acme:k" || b["reason"] != "seen in a paste" {
		t.Errorf("exit %d, printed %q, sent %v", got.code, got.out, b)
	}
	got = command(t, env, "run", "cancel", "run-9", "--reason", "drill over")
	if b := <-sent; got.code != exitFailed || b["reason"] != "drill over" || !strings.Contains(got.talk, "ended already") {
		t.Errorf("exit %d, said %q, sent %v", got.code, got.talk, b)
	}
	for _, args := range [][]string{{"run", "cancel", "run-9"}, {"run", "start", "--playbook", "p"}, {"run", "cancel"}} {
		if got := command(t, env, args...); got.code != exitMisuse {
			t.Errorf("%v: exit %d", args, got.code)
		}
	}
}
