package review

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tourniquet-ir/tourniquet/internal/database"
)

// Kinds of remark. Each is the last part of the ledger entry's kind.
const (
	Lesson   = "lesson"
	NextStep = "next_step"
	Done     = "next_step_done"
)

const (
	prefix  = "review."
	maxText = 4 << 10
	dayForm = "2006-01-02"
)

// Remark is what one person adds.
type Remark struct {
	Kind     string    `json:"kind"`
	Text     string    `json:"text,omitempty"`
	Owner    string    `json:"owner,omitempty"`     // of a next step: a person's id
	Due      string    `json:"due,omitempty"`       // of a next step: a day, as 2026-11-30; empty: none
	NextStep int64     `json:"next_step,omitempty"` // which next step is done
	By       string    `json:"-"`
	Surface  string    `json:"-"`
	At       time.Time `json:"-"`
}

// Known says whether a person is listed in the configuration.
type Known func(person string) bool

// RefusedError is a remark that cannot be taken, in a sentence for whoever made it.
type RefusedError struct{ Why string }

func (e *RefusedError) Error() string { return e.Why }

func refused(format string, args ...any) error { return &RefusedError{fmt.Sprintf(format, args...)} }

// Add writes a remark into the ledger of a run and returns the number that it has there. Ended runs take remarks, too: that is
// when most are made.
func Add(ctx context.Context, db *database.DB, known Known, run string, m Remark) (int64, error) {
	if m.By == "" || m.At.IsZero() {
		return 0, errors.New("a remark has somebody who makes it and a time")
	}
	if _, err := db.Run(ctx, run); err != nil {
		return 0, err
	}
	if err := m.check(known); err != nil {
		return 0, err
	}
	if m.Kind == Done {
		if err := m.open(ctx, db, run); err != nil {
			return 0, err
		}
	}
	id := fmt.Sprintf("review/%s/%s", m.Kind, rand.Text())
	if m.Kind == Done {
		id = fmt.Sprintf("review/%s/%d", m.Kind, m.NextStep) // two people at once: one of them says it
	}
	m.Text = strings.TrimSpace(m.Text)
	body := struct {
		Remark
		Surface string `json:"surface"`
	}{m, m.Surface}
	if err := db.Append(ctx, run, database.Entry{ID: id, Kind: prefix + m.Kind, Actor: m.By, At: m.At, Body: body}); err != nil {
		return 0, err
	}
	return number(ctx, db, run, id)
}

// number is the place of an entry in the ledger.
func number(ctx context.Context, db *database.DB, run, id string) (int64, error) {
	rows, err := db.Ledger(ctx, run)
	for i := len(rows) - 1; err == nil && i >= 0; i-- {
		if rows[i].ID == id {
			return rows[i].Seq, nil
		}
	}
	return 0, errors.Join(err, fmt.Errorf("the remark %q is not in the ledger", id))
}

func (m Remark) check(known Known) error {
	text := strings.TrimSpace(m.Text)
	switch {
	case m.Kind != Lesson && m.Kind != NextStep && m.Kind != Done:
		return refused("a remark is a %q, a %q or a %q, not a %q", Lesson, NextStep, Done, m.Kind)
	case len(text) > maxText || !utf8.ValidString(text):
		return refused("a remark has at most %d bytes of text", maxText)
	case text == "" && m.Kind != Done:
		return refused("a remark needs its text")
	case m.Kind != NextStep && (m.Owner != "" || m.Due != ""):
		return refused("only a next step has an owner and a day")
	case m.Kind == Done != (m.NextStep > 0):
		return refused("what is done is a next step, named by its number; nothing else has one")
	case m.Kind != NextStep:
		return nil
	case m.Owner == "":
		return refused("a next step needs an owner: somebody who sees to it")
	case !known(m.Owner):
		return refused("nobody with the id %q is listed under people in the configuration", m.Owner)
	}
	if m.Due == "" {
		return nil
	}
	if _, err := time.Parse(dayForm, m.Due); err != nil {
		return refused("the day %q is not written as %s", m.Due, dayForm)
	}
	return nil
}

// open refuses to finish what is not there or finished already.
func (m Remark) open(ctx context.Context, db *database.DB, run string) error {
	rows, err := db.Ledger(ctx, run)
	if err != nil {
		return err
	}
	for _, s := range Read(rows).NextSteps {
		if s.Number != m.NextStep {
			continue
		}
		if s.Done {
			return refused("next step %d is done already, says %s", s.Number, s.DoneBy)
		}
		return nil
	}
	return refused("there is no next step %d in this run", m.NextStep)
}

// Learned is one lesson.
type Learned struct {
	Number int64     `json:"number"`
	Text   string    `json:"text"`
	By     string    `json:"by"`
	At     time.Time `json:"at"`
}

// Step is one next step and how it stands.
type Step struct {
	Number int64     `json:"number"`
	Text   string    `json:"text"`
	Owner  string    `json:"owner"`
	Due    string    `json:"due,omitempty"`
	By     string    `json:"by"`
	At     time.Time `json:"at"`
	Done   bool      `json:"done"`
	DoneBy string    `json:"done_by,omitempty"`
	DoneAt time.Time `json:"done_at,omitzero"`
	Said   string    `json:"said,omitempty"` // with what words it was called done
}

// Review is all that people added to a run.
type Review struct {
	Lessons   []Learned `json:"lessons"`
	NextSteps []Step    `json:"next_steps"`
}

// Read finds the remarks in a ledger. One whose body was erased says so.
func Read(rows []database.LedgerRow) Review {
	out := Review{Lessons: []Learned{}, NextSteps: []Step{}}
	for _, r := range rows {
		kind, ours := strings.CutPrefix(r.Kind, prefix)
		if !ours {
			continue
		}
		var m Remark
		if json.Unmarshal(r.Body, &m) != nil {
			m.Text = "(erased)"
		}
		switch kind {
		case Lesson:
			out.Lessons = append(out.Lessons, Learned{r.Seq, m.Text, r.Actor, r.At})
		case NextStep:
			out.NextSteps = append(out.NextSteps, Step{Number: r.Seq, Text: m.Text, Owner: m.Owner, Due: m.Due, By: r.Actor, At: r.At})
		case Done:
			for i := range out.NextSteps {
				if s := &out.NextSteps[i]; s.Number == m.NextStep {
					s.Done, s.DoneBy, s.DoneAt, s.Said = true, r.Actor, r.At, m.Text
				}
			}
		}
	}
	return out
}
