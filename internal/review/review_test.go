package review_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/report/reporttest"
	"github.com/tourniquet-ir/tourniquet/internal/review"
)

func listed(person string) bool { return person == "dana" || person == "priya" }

func monday() time.Time { return reporttest.Start().Add(72 * time.Hour) }

func TestLessonsAndStepsStandInTheLedgerWithTheirPeople(t *testing.T) {
	t.Parallel()
	db := reporttest.DB(t)
	reporttest.Fill(t, db)
	add := func(m review.Remark) int64 {
		m.By, m.Surface, m.At = "priya", "cli", monday()
		n, err := review.Add(t.Context(), db, listed, reporttest.RunID, m)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	add(review.Remark{Kind: review.Lesson, Text: "  keys do not belong into client code "})
	step := add(review.Remark{Kind: review.NextStep, Text: "move it to the server", Owner: "dana", Due: "2026-12-01"})
	add(review.Remark{Kind: review.Done, NextStep: step, Text: "deployed"})
	rows, err := db.Ledger(t.Context(), reporttest.RunID)
	if err != nil {
		t.Fatal(err)
	}
	if err := database.VerifyLedger(rows); err != nil {
		t.Error(err)
	}
	got := review.Read(rows)
	lesson, last := got.Lessons[len(got.Lessons)-1], got.NextSteps[len(got.NextSteps)-1]
	if lesson.Text != "keys do not belong into client code" || lesson.By != "priya" {
		t.Errorf("the lesson is %+v", lesson)
	}
	if last.Number != step || last.Owner != "dana" || last.Due != "2026-12-01" || !last.Done || last.DoneBy != "priya" || last.Said != "deployed" {
		t.Errorf("the next step is %+v", last)
	}
	if err := db.EraseBody(t.Context(), reporttest.RunID, lesson.Number); err != nil {
		t.Fatal(err)
	}
	if rows, err = db.Ledger(t.Context(), reporttest.RunID); err != nil {
		t.Fatal(err)
	}
	if got := review.Read(rows); got.Lessons[len(got.Lessons)-1].Text != "(erased)" {
		t.Errorf("an erased lesson reads %+v", got.Lessons)
	}
}

func TestWhatIsNoRemarkIsRefusedWithAReason(t *testing.T) {
	t.Parallel()
	db := reporttest.DB(t)
	reporttest.Fill(t, db)
	for name, c := range map[string]struct {
		m   review.Remark
		why string
	}{
		"another kind":      {review.Remark{Kind: "verdict", Text: "x"}, `not a "verdict"`},
		"no text":           {review.Remark{Kind: review.Lesson, Text: " \n"}, "needs its text"},
		"too long":          {review.Remark{Kind: review.Lesson, Text: strings.Repeat("x", 5000)}, "at most"},
		"no owner":          {review.Remark{Kind: review.NextStep, Text: "x"}, "needs an owner"},
		"an unknown owner":  {review.Remark{Kind: review.NextStep, Text: "x", Owner: "mallory"}, `"mallory"`},
		"no day":            {review.Remark{Kind: review.NextStep, Text: "x", Owner: "dana", Due: "tomorrow"}, `"tomorrow"`},
		"an owned lesson":   {review.Remark{Kind: review.Lesson, Text: "x", Owner: "dana"}, "only a next step"},
		"done without what": {review.Remark{Kind: review.Done}, "named by its number"},
		"done what is not":  {review.Remark{Kind: review.Done, NextStep: 1}, "there is no next step 1"},
		"a numbered lesson": {review.Remark{Kind: review.Lesson, Text: "x", NextStep: 2}, "named by its number"},
	} {
		c.m.By, c.m.At = "priya", monday()
		_, err := review.Add(t.Context(), db, listed, reporttest.RunID, c.m)
		var no *review.RefusedError
		if !errors.As(err, &no) || !strings.Contains(no.Why, c.why) {
			t.Errorf("%s: %v, want a refusal that says %q", name, err, c.why)
		}
	}
	if _, err := review.Add(t.Context(), db, listed, "run-none", review.Remark{Kind: review.Lesson, Text: "x", By: "priya", At: monday()}); !database.IsNotFound(err) {
		t.Errorf("a run that is not there: %v", err)
	}
}

func TestAStepIsDoneOnce(t *testing.T) {
	t.Parallel()
	db := reporttest.DB(t)
	reporttest.Fill(t, db)
	step := review.Remark{Kind: review.NextStep, Text: "x", Owner: "dana", By: "priya", At: monday()}
	n, err := review.Add(t.Context(), db, listed, reporttest.RunID, step)
	if err != nil {
		t.Fatal(err)
	}
	done := review.Remark{Kind: review.Done, NextStep: n, By: "dana", At: monday().Add(time.Hour)}
	if _, err := review.Add(t.Context(), db, listed, reporttest.RunID, done); err != nil {
		t.Fatal(err)
	}
	done.By = "priya"
	if _, err := review.Add(t.Context(), db, listed, reporttest.RunID, done); err == nil || !strings.Contains(err.Error(), "done already, says dana") {
		t.Errorf("the second time: %v", err)
	}
}
