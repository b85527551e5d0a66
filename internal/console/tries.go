package console

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/report"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
)

// mostTries are shown of a step; the API has all that are kept.
const mostTries = 50

// try is one attempt of a step.
type try struct {
	N      int
	At     time.Time
	Took   string
	Status string
	Error  string
	Reason string // why it was made
}

// tries shows the attempts of a step that needed more than one, with why each was made.
func (v *stepView) tries(questions []report.Question) {
	v.Tries = triesOf(v.StepRow, questions)
	v.Of = len(v.Tries)
	v.Earlier = max(0, v.Of-mostTries)
	v.Tries = v.Tries[v.Earlier:]
}

func triesOf(row database.StepRow, questions []report.Question) (out []try) {
	all := row.Tries
	if n := len(all); row.Action != "" && !row.StartedAt.IsZero() && (n == 0 || all[n-1].StartedAt.Before(row.StartedAt)) {
		all = append(all[:n:n], database.Try{Attempt: row.Attempt, Status: row.Status, Error: row.Error, StartedAt: row.StartedAt, FinishedAt: row.FinishedAt})
	}
	if len(all) < 2 {
		return nil
	}
	for i, t := range all {
		reason := "the first"
		if i > 0 {
			reason = again(all[i-1], t, row.Path, questions)
		}
		took := report.Took(database.StepRow{StartedAt: t.StartedAt, FinishedAt: t.FinishedAt})
		out = append(out, try{i + 1, t.StartedAt, took, t.Status, t.Error, reason})
	}
	return out
}

// again says why an attempt was made after another.
func again(before, now database.Try, path string, questions []report.Question) string {
	for _, q := range questions {
		if q.Step == path && q.Kind == "park" && q.Answered() && !q.At.Before(before.FinishedAt) && !q.At.After(now.StartedAt) {
			return q.By + " chose " + q.Answer
		}
	}
	switch {
	case before.Attempt != now.Attempt:
		return "people decided to repeat it"
	case before.Status == "waiting":
		return "nothing had been sent: looked again"
	case strings.HasPrefix(before.Error, "not yet"):
		return "until did not hold: looked again"
	}
	return "repeated by itself"
}

// item is one turn of a loop.
type item struct {
	N      int
	Value  string
	Status string
	Steps  []string // paths
}

// overOf is what a loop went over, as it was written down when it began.
func overOf(row database.StepRow) (over wire.Items, ok bool) {
	ok = row.Action == "" && len(row.Inputs) > 0 && json.Unmarshal(row.Inputs, &over) == nil && over.As != ""
	return over, ok
}

// itemsOf lists the turns of a loop with what became of each.
func itemsOf(row database.StepRow, all []database.StepRow) (out []item, cut int) {
	over, ok := overOf(row)
	if !ok {
		return nil, 0
	}
	out = make([]item, 0, len(over.Items))
	for n, raw := range over.Items {
		it := item{N: n, Value: over.As + " = " + string(raw)}
		within := fmt.Sprintf("%s[%d]/", row.Path, n)
		for _, s := range all {
			if !strings.HasPrefix(s.Path, within) {
				continue
			}
			it.Steps = append(it.Steps, s.Path)
			if worse(s.Status, it.Status) {
				it.Status = s.Status
			}
		}
		out = append(out, it)
	}
	return out, over.Count - len(over.Items)
}
