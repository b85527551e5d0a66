package workflows

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

// Answers to a parked step.
const (
	choiceRetry = "Retry"
	choiceSkip  = "Skip"
	choiceStop  = "Stop"
)

// nobody begins what stands where a person's name would, when none answered.
const nobody = "nobody: "

// remindEvery is how often people are reminded of what waits for them.
const remindEvery = 15 * time.Minute

// question is one that is open or answered.
type question struct {
	wire.Question
	form   []playbooks.Field
	closed bool
}

// ask is a step of the language: information, never permission.
func (r *run) ask(ctx workflow.Context, s *scope, st *playbooks.Step) *halt {
	started := workflow.Now(ctx)
	prompt, err := st.Ask.Prompt.Eval(s.env(r), started)
	if err != nil {
		return r.unevaluable(ctx, s, st, err)
	}
	got := wire.Question{Answer: st.Ask.Otherwise, By: nobody + "mode observe"}
	if r.in.Run.Mode == incident.ModeEnforce {
		got = r.question(ctx, wire.Question{
			Step: s.at(st.ID), Kind: "ask", From: st.Ask.From, Title: title(st), Prompt: fmt.Sprint(prompt),
			Choices: st.Ask.Choices, Otherwise: st.Ask.Otherwise, Expires: started.Add(st.Ask.Within.Std()),
		}, 1, st.Ask.Form...)
	}
	if ctx.Err() != nil {
		return &halt{incident.OutcomeCancelled, "cancelled while a question was open"}
	}
	outputs := map[string]any{"choice": got.Answer}
	if len(st.Ask.Form) > 0 {
		if outputs, err = fill(st.Ask.Form, got.Answer); err != nil {
			return r.unfilled(ctx, s, st)
		}
	}
	if !strings.HasPrefix(got.By, nobody) { // by is a person; where nobody answered it is absent
		outputs["by"] = got.By
	}
	s.settle(st.ID, statusDone, outputs, started, workflow.Now(ctx))
	r.status(ctx, s.at(st.ID), st.Title, statusDone, "answered "+got.Answer+" by "+got.By)
	return nil
}

// unfilled is a form that nobody filled: what it would have said cannot be made up, so the run stops.
func (r *run) unfilled(ctx workflow.Context, s *scope, st *playbooks.Step) *halt {
	if r.in.Run.Mode != incident.ModeEnforce {
		return r.unevaluable(ctx, s, st, errors.New("a form is not asked in mode observe"))
	}
	return r.fail(ctx, s, st, statusStopped, &halt{incident.OutcomeStopped, fmt.Sprintf("nobody filled the form of %q in time", st.ID)})
}

// park holds a step that failed for good until a responder decides; there is no time limit.
func (r *run) park(ctx workflow.Context, s *scope, st *playbooks.Step, why string, attempt int) string {
	choices := []string{choiceRetry}
	if st.SkipSafe {
		choices = append(choices, choiceSkip)
	}
	r.status(ctx, s.at(st.ID), st.Title, "parked", why)
	got := r.question(ctx, wire.Question{
		Step: s.at(st.ID), Kind: "park", From: r.in.Policy.Responders, Title: title(st) + " did not work",
		Prompt: why, Choices: append(choices, choiceStop),
	}, attempt)
	if got.Answer == "" {
		return choiceStop
	}
	return got.Answer
}

// question asks and waits; it returns with the answer, with Otherwise after its time, or empty when cancelled.
func (r *run) question(ctx workflow.Context, q wire.Question, attempt int, form ...playbooks.Field) wire.Question {
	r.asked++
	if len(form) > 0 {
		q.Prompt = formPrompt(q.Prompt, form)
	}
	q.Run, q.ID = r.in.Run.ID, fmt.Sprintf("q-%s-%s%d", r.in.Run.ID, r.mark, r.asked)
	open := &question{Question: q, form: form}
	r.questions[q.ID] = open
	r.event(ctx, "question.asked", q.Step, map[string]any{"question": q.ID, "kind": q.Kind, "attempt": attempt})
	r.flush(ctx, "waiting")
	r.background(ctx, wire.OpenQuestion, q)
	r.wait(ctx, q.Expires, func() bool { return open.closed }, func() {
		r.background(ctx, wire.RemindSignoff, wire.Remind{Run: r.in.Run.ID, Request: q.ID, Why: "still waits for an answer"})
	})
	if !open.closed && ctx.Err() == nil {
		open.Answer, open.By = q.Otherwise, nobody+"time ran out"
	}
	open.closed = true
	r.event(ctx, "question.settled", q.Step, map[string]any{"question": q.ID, "answer": open.Answer, "by": open.By})
	r.background(ctx, wire.SettleQuestion, open.Question)
	r.flush(ctx, "running")
	return open.Question
}

// wait blocks until done, the deadline (zero: none) or cancellation, and reminds meanwhile.
func (r *run) wait(ctx workflow.Context, deadline time.Time, done func() bool, remind func()) {
	for !done() && ctx.Err() == nil {
		next := remindEvery
		if !deadline.IsZero() {
			left := deadline.Sub(workflow.Now(ctx))
			if left <= 0 {
				return
			}
			next = min(next, left)
		}
		ok, err := workflow.AwaitWithTimeout(ctx, next, done)
		if err != nil || ok {
			return
		}
		if deadline.IsZero() || workflow.Now(ctx).Before(deadline) {
			remind()
		}
	}
}

// background runs one of the house's activities without holding up the run; it is retried until it gets through.
func (r *run) background(ctx workflow.Context, name string, arg any) {
	dctx, _ := workflow.NewDisconnectedContext(ctx)
	workflow.ExecuteActivity(workflow.WithActivityOptions(dctx, workflow.ActivityOptions{
		StartToCloseTimeout: 30 * time.Second, ScheduleToCloseTimeout: 24 * time.Hour,
		RetryPolicy: &temporal.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: 30 * time.Second},
	}), name, arg)
}

// refuseAnswer says why an answer does not count; nil when it does.
func (r *run) refuseAnswer(a wire.Answer) *signoff.Refusal {
	q, ok := r.questions[a.Question]
	if !ok || q.closed {
		return &signoff.Refusal{Code: signoff.ClosedCode, Why: "this question is no longer open"}
	}
	d := a.Decision
	if ref := signoff.Verify(d, r.in.PublicKeys); ref != nil {
		return ref
	}
	switch {
	case d.Request != q.ID || d.Verb != wire.VerbAnswer || d.Digest != wire.QuestionDigest(q.Question):
		return &signoff.Refusal{Code: signoff.StaleDigest, Why: "this answer belongs to another question"}
	case !slices.Contains(d.Groups, q.From):
		return &signoff.Refusal{Code: signoff.NotEligible, Why: fmt.Sprintf("only a member of %q may answer this", q.From)}
	case len(q.form) > 0:
		if _, err := fill(q.form, d.Reason); err != nil {
			return &signoff.Refusal{Code: signoff.NotEligible, Why: err.Error()}
		}
	case !slices.Contains(q.Choices, d.Reason):
		return &signoff.Refusal{Code: signoff.NotEligible, Why: fmt.Sprintf("%q is none of the choices", d.Reason)}
	}
	return nil
}

func title(st *playbooks.Step) string {
	if st.Title != "" {
		return st.Title
	}
	return st.ID
}
