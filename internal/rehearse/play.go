package rehearse

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
	"github.com/tourniquet-ir/tourniquet/playbooks"
	"github.com/tourniquet-ir/tourniquet/workflows"
)

// outcomeWaiting is a run that still waits for people when the horizon is reached.
const outcomeWaiting = "waiting"

// horizon is the longest virtual time of one test.
const horizon = 1000 * time.Hour

// played is how one run went.
type played struct {
	stage   *stage
	starts  bool
	outcome string
	why     string
	took    time.Duration // virtual
	broken  string        // the run itself could not be played
}

// deadlock is how long workflow code may think in one go. Temporal's own second is for servers; a busy laptop or a build machine
// stops for longer in the midst of harmless code.
const deadlock = 20 * time.Second

// newStage sets a run up that is not yet playing.
func newStage(c *Case, p *playbooks.Program, cards playbooks.Catalog, policy signoff.Policy) (*stage, error) {
	pub, priv, err := ed25519.GenerateKey(nil)
	if err != nil {
		return nil, err
	}
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	s := &stage{
		env: suite.NewTestWorkflowEnvironment(), c: c, program: p, cards: cards, policy: policy, priv: priv,
		keys: map[string]string{keyID: base64.StdEncoding.EncodeToString(pub)},
		cast: cast{mocks: c.mocks, used: map[*mock]int{}}, requests: map[string]*request{}, questions: map[string]wire.Question{},
		asked: map[string]int{}, askedAt: map[string]bool{}, outputs: map[string]map[string]any{},
	}
	s.onAsk = s.schedule
	return s, nil
}

// playProgram runs the real workflow to its end. A program that makes Temporal's environment panic is reported, not obeyed.
func (s *stage) playProgram(limit time.Duration) (got played) {
	p := s.program
	got = played{stage: s, starts: s.starts(p)}
	if !got.starts {
		return got
	}
	defer func() {
		if r := recover(); r != nil {
			got.broken = cut(firstLine(fmt.Sprint(r)))
		}
	}()
	s.register()
	env := s.env
	env.RegisterWorkflowWithOptions(workflows.Respond, workflow.RegisterOptions{Name: wire.Respond})
	env.SetStartTime(s.c.now)
	env.SetTestTimeout(limit)
	env.SetWorkflowRunTimeout(horizon)
	env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: incidentID, TaskQueue: wire.TaskQueue})
	env.SetWorkerOptions(worker.Options{DeadlockDetectionTimeout: deadlock, Interceptors: []interceptor.WorkerInterceptor{&firstRun{}}})
	env.ExecuteWorkflow(wire.Respond, s.start(p))
	got.took = env.Now().Sub(s.c.now)
	s.mu.Lock()
	s.over = true
	s.mu.Unlock()
	s.late()
	var ended wire.Ended
	err := env.GetWorkflowError()
	if err == nil {
		err = env.GetWorkflowResult(&ended)
	}
	var late *temporal.TimeoutError
	switch {
	case errors.As(err, &late) && got.took >= horizon:
		got.outcome, got.why = outcomeWaiting, s.waiting()
	case err != nil:
		got.broken = firstLine(err.Error())
	default:
		got.outcome, got.why = ended.Outcome, ended.Why
	}
	return got
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

// starts asks the trigger as the dispatcher does; without one a person or another playbook starts the run.
func (s *stage) starts(p *playbooks.Program) bool {
	if p.Trigger == "" {
		return true
	}
	_, said := playbooks.Route([]*playbooks.Program{p}, s.c.alert.Env(), s.c.alert.NamesKey(), s.c.now)
	return len(said) == 1 && said[0].Answers
}

func (s *stage) start(p *playbooks.Program) wire.Start {
	return wire.Start{
		Run: incident.Run{ID: runID, Incident: incidentID, Number: 1, Playbook: p.ID, Digest: p.Digest, Mode: s.c.mode, World: s.world(),
			Trust: s.c.alert.Trust, StartedAt: s.c.now},
		Alert: s.c.alert.Alert, Program: p, Policy: s.policy, PublicKeys: s.keys, Inputs: s.c.inputs,
	}
}

// events are what the run wrote into its ledger.
func (s *stage) events() []wire.Event {
	var out []wire.Event
	for _, b := range s.batches {
		out = append(out, b.Events...)
	}
	return out
}

// statuses are the last ones that were written down, by path; calls that came through are done.
func (s *stage) statuses() map[string]string {
	out := map[string]string{}
	for _, c := range s.calls {
		if c.came {
			out[c.step] = "done"
		}
	}
	for _, b := range s.batches {
		for _, st := range b.Steps {
			out[st.Path] = st.Status
		}
	}
	return out
}

// inForce are the steps whose effects the run left in force.
func (s *stage) inForce() []string {
	if len(s.closes) == 0 {
		return nil
	}
	return slices.Sorted(slices.Values(s.closes[len(s.closes)-1].InForce))
}

// rewind makes the moves of a case ready to be played again.
func (c *Case) rewind() *Case {
	fresh := *c
	fresh.moves = make([]*move, 0, len(c.moves))
	for _, m := range c.moves {
		again := *m
		again.got, again.why = "", ""
		fresh.moves = append(fresh.moves, &again)
	}
	fresh.people = maps.Clone(c.people)
	return &fresh
}
