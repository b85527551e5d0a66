package workflows_test

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	sdkinterceptor "go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/tourniquet-ir/tourniquet/internal/diag"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
	"github.com/tourniquet-ir/tourniquet/playbooks"
	"github.com/tourniquet-ir/tourniquet/workflows"
)

const workflowID = "inc-1"

// tester is what *testing.T and *rapid.T share.
type tester interface {
	Helper()
	Errorf(string, ...any)
	Fatalf(string, ...any)
}

// move is what one person does, at a time counted from the moment the step asked.
type move struct {
	step   string
	nth    int // which time the step asks; 1 when left out
	at     time.Duration
	by     string
	do     string // approve, reject, or "" for an answer
	answer string
	change func(*signoff.Decision) // before it is signed
	forge  func(*signoff.Decision) // after it is signed
	want   string                  // refusal code; "" is accepted
	got    string                  // what came back: accepted, or the code
}

// drive is one run under test.
type drive struct {
	t      tester
	env    *testsuite.TestWorkflowEnvironment
	house  *house
	later  func(func(), time.Duration)
	send   func(name, id string, answer *testsuite.TestUpdateCallback, arg any)
	start  wire.Start
	others map[string][]byte
	moves  []*move
	reset  bool
	ended  wire.Ended
	err    error
}

func start() time.Time { return time.Date(2026, 3, 4, 3, 12, 0, 0, time.UTC) }

func testKey() map[string]any {
	dependent := func(id string) any { return map[string]any{"id": id, "kind": "github_actions_secret"} }
	return map[string]any{"provider": "gemini", "account": "demo", "id": "k1", "hint": "AIza…9xQ2", "owner": "kim", "critical": false,
		"dependents": []any{dependent("shop"), dependent("blog"), dependent("mail")}}
}

func groups() map[string][]string {
	return map[string][]string{"ana": {"secops"}, "bo": {"secops"}, "kim": {"secops"}, "lee": {"secops_lead"}}
}

// playbook puts a head over steps that are written from column zero.
func playbook(steps string) string {
	return "schema: tourniquet/v1\nid: p\ntitle: t\ntrigger: { if: alert.severity != \"low\" }\nsteps:\n" + steps
}

func newDrive(t tester) *drive {
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	env := suite.NewTestWorkflowEnvironment()
	env.SetWorkerOptions(worker.Options{DeadlockDetectionTimeout: 20 * time.Second}) // a build machine may be slow
	d := &drive{t: t, env: env, house: newHouse(env.Now), later: env.RegisterDelayedCallback}
	d.send = func(name, id string, answer *testsuite.TestUpdateCallback, arg any) {
		env.UpdateWorkflow(name, id, answer, arg)
	}
	d.start = wire.Start{
		Run: incident.Run{ID: "run-1", Incident: workflowID, Number: 1, Mode: incident.ModeEnforce, World: incident.WorldDrill, Trust: incident.TrustAct, StartedAt: start()},
		Alert: incident.Alert{ID: "a1", Source: "test", Trust: incident.TrustAct, Kind: incident.KindKeyLeaked, Severity: "high", Title: "leak",
			ObservedAt: start(), ReceivedAt: start(), Key: incident.Clue{Provider: "gemini", Hint: "AIza…9xQ2"}},
		PublicKeys: d.house.keys,
	}
	d.house.onRequest = func(step string, nth int, v signoff.View) {
		d.schedule(step, nth, true, func(m *move) { d.decide(m, v) })
	}
	d.house.onAsk = func(step string, nth int, q wire.Question) {
		d.schedule(step, nth, false, func(m *move) { d.answer(m, q) })
	}
	return d
}

func (d *drive) schedule(step string, nth int, decides bool, act func(*move)) {
	for _, m := range d.moves {
		if m.step == step && (m.do != "") == decides && max(m.nth, 1) == nth {
			d.later(func() { act(m) }, m.at)
		}
	}
}

// compile compiles a playbook with the real language.
func (d *drive) compile(src string) *drive {
	d.t.Helper()
	p, faults := playbooks.Compile("p.yaml", []byte(src), playbooks.World{
		Actions: d.house.cards, Groups: map[string]int{"secops": 3, "secops_lead": 1}, Playbooks: d.others})
	if p == nil {
		d.t.Fatalf("the playbook does not compile:\n%s\n%s", diag.Text([]byte(src), faults), src)
	}
	d.start.Program = p
	return d
}

// act adds people's moves.
func (d *drive) act(moves ...*move) *drive {
	d.moves = append(d.moves, moves...)
	return d
}

func approve(step string, at time.Duration, by string) *move {
	return &move{step: step, at: at, by: by, do: signoff.Approve}
}

func reject(step string, at time.Duration, by string) *move {
	return &move{step: step, at: at, by: by, do: signoff.Reject}
}

func answer(step string, at time.Duration, by, what string) *move {
	return &move{step: step, at: at, by: by, answer: what}
}

func (m *move) again(nth int) *move       { m.nth = nth; return m }
func (m *move) refused(code string) *move { m.want = code; return m }

func (d *drive) decision(m *move, request, digest, verb, reason string) signoff.Decision {
	dec := signoff.Decision{Request: request, Digest: digest, Person: m.by, Name: m.by, Verb: verb, Reason: reason,
		Groups: groups()[m.by], SeenAt: d.house.now(), At: d.house.now(), Surface: "slack"}
	if m.change != nil {
		m.change(&dec)
	}
	signed, err := signoff.Sign(dec, "k1", d.house.priv)
	if err != nil {
		d.t.Fatalf("sign: %v", err)
	}
	if m.forge != nil {
		m.forge(&signed)
	}
	return signed
}

func (d *drive) decide(m *move, v signoff.View) {
	reason := ""
	if m.do == signoff.Reject {
		reason = "no"
	}
	dec := d.decision(m, v.Request, v.Digest, m.do, reason)
	d.update(wire.UpdateDecide, m, wire.Decide{Request: v.Request, Decision: dec})
}

func (d *drive) answer(m *move, q wire.Question) {
	dec := d.decision(m, q.ID, wire.QuestionDigest(q), wire.VerbAnswer, m.answer)
	d.update(wire.UpdateAnswer, m, wire.Answer{Question: q.ID, Decision: dec})
}

func (d *drive) update(name string, m *move, arg any) {
	d.send(name, fmt.Sprintf("%s-%s-%p", name, m.by, m), &testsuite.TestUpdateCallback{
		OnAccept: func() {},
		OnReject: func(err error) { m.got = codeOf(err) },
		OnComplete: func(v any, err error) {
			reply, ok := v.(wire.Reply)
			switch {
			case err != nil:
				m.got = err.Error()
			case ok && !reply.Accepted:
				m.got = "in the history, " + reply.Code // the validator should have refused it before
			default:
				m.got = "accepted"
			}
		},
	}, arg)
}

func codeOf(err error) string {
	var app *temporal.ApplicationError
	if errors.As(err, &app) {
		return app.Type()
	}
	return err.Error()
}

// run plays it to its end and judges it.
func (d *drive) run() *drive {
	d.t.Helper()
	d.start.Policy = d.house.policy
	for name, verb := range d.house.verbs() {
		d.env.RegisterActivityWithOptions(verb, activity.RegisterOptions{Name: name})
	}
	d.env.RegisterWorkflowWithOptions(workflows.Respond, workflow.RegisterOptions{Name: wire.Respond})
	d.env.SetStartTime(start())
	d.env.SetTestTimeout(time.Minute)
	d.env.SetWorkflowRunTimeout(1000 * time.Hour)
	d.env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: workflowID, TaskQueue: wire.TaskQueue})
	d.env.SetWorkerOptions(worker.Options{Interceptors: []sdkinterceptor.WorkerInterceptor{&firstRun{reset: d.reset, house: d.house}}})
	d.env.ExecuteWorkflow(wire.Respond, d.start)
	if d.err = d.env.GetWorkflowError(); d.err == nil {
		d.err = d.env.GetWorkflowResult(&d.ended)
	}
	d.house.quiet(d.t)
	return d.judge()
}

// judge checks that every move was answered as the test says.
func (d *drive) judge() *drive {
	d.t.Helper()
	d.house.mu.Lock() // nothing is written after this
	for _, m := range d.moves {
		want := m.want
		if want == "" {
			want = "accepted"
		}
		if m.got != want {
			d.t.Errorf("%s by %s on %q at %s: %q, wanted %q", m.do+m.answer, m.by, m.step, m.at, m.got, want)
		}
	}
	return d
}

func (d *drive) wants(outcome string) *drive {
	d.t.Helper()
	if d.err != nil || d.ended.Outcome != outcome {
		d.t.Errorf("the outcome is %q (%s), wanted %q; error: %v", d.ended.Outcome, d.ended.Why, outcome, d.err)
	}
	return d
}

func (d *drive) wantsSteps(steps string) *drive {
	d.t.Helper()
	if got := d.house.steps(); got != steps {
		d.t.Errorf("the steps that came through are\n\t%q, wanted\n\t%q", got, steps)
	}
	return d
}
