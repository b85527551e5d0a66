package database

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Kinds of question.
const (
	QuestionAsk  = "ask"  // the playbook asks
	QuestionPark = "park" // a call failed or its outcome is unknown: retry, skip or stop
	QuestionKey  = "key"  // a person puts a new key into the sealed form; the answer is its handle
)

// Question is something a person is asked that needs no quorum.
type Question struct {
	ID        string    `json:"id"`
	Run       string    `json:"run"`
	Step      string    `json:"step"`
	Kind      string    `json:"kind"`
	From      string    `json:"from"` // the group that may answer
	Prompt    string    `json:"prompt"`
	Choices   []string  `json:"choices,omitempty"`
	Otherwise string    `json:"otherwise,omitempty"` // what holds when nobody answers
	Expires   time.Time `json:"expires,omitzero"`
	Answer    string    `json:"answer,omitempty"`
	By        string    `json:"by,omitempty"` // empty where nobody answered in time
	At        time.Time `json:"at,omitzero"`
}

// Answered reports whether the question is closed.
func (q Question) Answered() bool { return !q.At.IsZero() }

// PutQuestion keeps a question; a repeat with the same id changes nothing.
func (d *DB) PutQuestion(ctx context.Context, q Question) error {
	body, err := text(q)
	if err != nil {
		return fmt.Errorf("question %q: %w", q.ID, err)
	}
	return d.exec(ctx, fmt.Sprintf("question %q", q.ID), `INSERT INTO questions (id, run, answered, doc) VALUES (?, ?, ?, ?)
		ON CONFLICT (id) DO NOTHING`, q.ID, q.Run, q.Answered(), body)
}

// Question reads one question.
func (d *DB) Question(ctx context.Context, id string) (Question, error) {
	q, err := doc[Question](d.reader.QueryRowContext(ctx, `SELECT doc FROM questions WHERE id = ?`, id))
	if err != nil {
		return q, fmt.Errorf("question: %w", missing(err, "question", id))
	}
	return q, nil
}

// Questions lists questions, oldest first; an empty run means all.
func (d *DB) Questions(ctx context.Context, run string, onlyOpen bool) ([]Question, error) {
	return d.questions(ctx, AskedFilter{Run: run, Open: onlyOpen})
}

// QuestionsPage is one page of Questions.
func (d *DB) QuestionsPage(ctx context.Context, f AskedFilter) ([]Question, error) {
	f.Limit = atMost(f.Limit)
	return d.questions(ctx, f)
}

func (d *DB) questions(ctx context.Context, f AskedFilter) ([]Question, error) {
	query, args := f.query("questions", "answered = 0")
	out, err := list(ctx, d.reader, doc[Question], query, args...)
	if err != nil {
		return nil, fmt.Errorf("questions: %w", err)
	}
	return out, nil
}

// AnswerQuestion gives the answer. The first one in time wins; won says whether this is it (a repeat of the winning answer by the
// same person is), and the question shows what holds. An answer that is not among the choices is an error.
func (d *DB) AnswerQuestion(ctx context.Context, id, answer, by string, at time.Time) (q Question, won bool, err error) {
	err = d.closeQuestion(ctx, id, &q, func() error {
		switch {
		case q.Answered():
			won = q.By == by && q.Answer == answer
			return nil
		case len(q.Choices) > 0 && !slices.Contains(q.Choices, answer):
			return fmt.Errorf("%q is not a choice: it is one of %q", answer, q.Choices)
		case !q.Expires.IsZero() && !at.Before(q.Expires):
			return nil
		}
		won, q.Answer, q.By, q.At = true, answer, by, at.UTC()
		return nil
	})
	return q, won && err == nil, err
}

// ExpireQuestion closes a question that nobody answered with what it says holds otherwise; an answer that came first stays.
func (d *DB) ExpireQuestion(ctx context.Context, id string, at time.Time) (q Question, err error) {
	err = d.closeQuestion(ctx, id, &q, func() error {
		if !q.Answered() {
			q.Answer, q.By, q.At = q.Otherwise, "", at.UTC()
		}
		return nil
	})
	return q, err
}

func (d *DB) closeQuestion(ctx context.Context, id string, q *Question, decide func() error) error {
	return d.write(ctx, fmt.Sprintf("question %q", id), "question/"+id, func(ctx context.Context, tx *txn) error {
		var err error
		if *q, err = doc[Question](tx.QueryRowContext(ctx, `SELECT doc FROM questions WHERE id = ?`, id)); err != nil {
			return missing(err, "question", id)
		}
		if err := decide(); err != nil {
			return err
		}
		body, err := text(*q)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE questions SET answered = ?, doc = ? WHERE id = ?`, q.Answered(), body, id)
		return err
	})
}
