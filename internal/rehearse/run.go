package rehearse

import (
	"runtime"
	"sync"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

// Options say how tests are played.
type Options struct {
	Policy signoff.Policy
	Limit  time.Duration // real time of one test; default half a minute
}

// Report is how the tests of one file went.
type Report struct {
	File     string   `json:"file"`
	Playbook string   `json:"playbook"`
	Tests    []Tested `json:"tests"`
	Coverage Coverage `json:"coverage"`
	Seconds  float64  `json:"seconds"`
}

// Tested is one test.
type Tested struct {
	Name    string       `json:"name"`
	Line    int          `json:"line"`
	OK      bool         `json:"ok"`
	Differs []Difference `json:"differs"`
	Outcome string       `json:"outcome,omitempty"`
	Called  []string     `json:"called"`
	Virtual float64      `json:"virtual_seconds"`
	Seconds float64      `json:"seconds"`
}

// OK reports whether every test passed.
func (r Report) OK() bool { return r.Failed() == 0 }

// Failed is how many tests did not pass.
func (r Report) Failed() int {
	n := 0
	for _, t := range r.Tests {
		if !t.OK {
			n++
		}
	}
	return n
}

// Run plays every test of a file that was bound without faults.
func (f *File) Run(o Options) Report {
	if o.Limit <= 0 {
		o.Limit = 30 * time.Second
	}
	began := time.Now()
	out := Report{File: f.Name, Playbook: f.Playbook, Tests: make([]Tested, len(f.Tests))}
	reached := hits{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	turn := make(chan struct{}, max(runtime.GOMAXPROCS(0), 1))
	for i, c := range f.Tests {
		wg.Add(1)
		turn <- struct{}{}
		go func() {
			defer func() { <-turn; wg.Done() }()
			var got played
			out.Tests[i], got = f.test(c.rewind(), o)
			if got.stage == nil || !counts(c) {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			got.stage.mu.Lock()
			defer got.stage.mu.Unlock()
			reached.reached(got, f.program)
		}()
	}
	wg.Wait()
	out.Coverage = reached.coverage(f.program)
	out.Seconds = time.Since(began).Seconds()
	return out
}

func (f *File) test(c *Case, o Options) (Tested, played) {
	began := time.Now()
	t := Tested{Name: c.Name, Line: c.at.line, Called: []string{}, Differs: []Difference{}}
	s, err := newStage(c, f.program, f.cards, o.Policy)
	if err != nil {
		t.Differs = []Difference{{c.at.line, c.at.col, "the stage could not be built: " + err.Error()}}
		return t, played{}
	}
	got := s.playProgram(o.Limit)
	s.mu.Lock()
	defer s.mu.Unlock()
	t.Differs = append(t.Differs, compare(c, got)...)
	t.OK, t.Outcome, t.Virtual = len(t.Differs) == 0, got.outcome, got.took.Seconds()
	for _, call := range s.calls {
		t.Called = append(t.Called, call.action)
	}
	t.Seconds = time.Since(began).Seconds()
	return t, got
}
