package main

import (
	"context"
	"fmt"
	"time"
)

// stalled is how long nothing may move before the bench says that alerts were lost.
const stalled = 30 * time.Second

// turn is what one side did in one turn.
type turn struct {
	latencies []time.Duration
	took      time.Duration
	calls     map[string]int
}

// drive sends n alerts, at most `at` under way at once, and returns when every run has ended.
func drive(ctx context.Context, w *world, s *side, n, at int) (turn, error) {
	before := w.callsSoFar()
	began := time.Now()
	samples := make([]*sample, 0, n)
	faults := make(chan error, n)
	for sent, ended := 0, 0; ended < n; {
		if sent < n && sent-ended < at {
			key, one := w.begin()
			samples = append(samples, one)
			go func() {
				if err := s.alert(ctx, key); err != nil {
					faults <- err
				}
			}()
			sent++
			continue
		}
		timer := time.NewTimer(stalled)
		select {
		case <-w.ended:
			ended++
		case err := <-faults:
			timer.Stop()
			return turn{}, err
		case <-ctx.Done():
			timer.Stop()
			return turn{}, ctx.Err()
		case <-timer.C:
			return turn{}, fmt.Errorf("%d of %d runs did not end and nothing moved for %s", n-ended, n, stalled)
		}
		timer.Stop()
	}
	t := turn{took: time.Since(began), calls: w.callsSoFar()}
	for name, count := range before {
		t.calls[name] -= count
	}
	for _, one := range samples {
		got := w.latency(one)
		if got == 0 {
			return t, fmt.Errorf("a run ended and its key was never touched")
		}
		t.latencies = append(t.latencies, got)
	}
	return t, nil
}
