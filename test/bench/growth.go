package main

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// aimGrowth is how much dearer a run may become when the database holds ten times as many closed ones.
const aimGrowth = 1.2

// growth compares the same runs, 8 at once, before and after ten times as many had been closed.
type growth struct {
	Closed     int     `json:"closed_before"`
	ClosedThen int     `json:"closed_then"`
	P50        float64 `json:"p50_ms"`
	P50Then    float64 `json:"p50_then_ms"`
	Cost       float64 `json:"seconds_per_run"`
	CostThen   float64 `json:"seconds_per_run_then"`
	CPU        float64 `json:"cpu_ms_per_run"`
	CPUThen    float64 `json:"cpu_ms_per_run_then"`
}

// grow measures c.grown runs on a database that has closed as many, fills it to ten times that, and measures again. Time by the
// clock also tells what else the machine did; the processor's time does not.
func grow(ctx context.Context, c choices, dir string, w *world) (*growth, error) {
	s, err := startProduct(ctx, c.binary, dir, w, productConfig, playbook)
	if err != nil {
		return nil, err
	}
	defer s.stop()
	say("growth: %d runs, with %d closed and with %d closed …", c.grown, c.grown, 10*c.grown)
	g := &growth{Closed: c.grown, ClosedThen: 10 * c.grown}
	if _, err = drive(ctx, w, s, c.grown, 8); err == nil {
		g.P50, g.Cost, g.CPU, err = s.costs(ctx, w, c.grown)
	}
	if err == nil {
		_, err = drive(ctx, w, s, 8*c.grown, 8)
	}
	if err == nil {
		g.P50Then, g.CostThen, g.CPUThen, err = s.costs(ctx, w, c.grown)
	}
	if err != nil {
		return nil, fmt.Errorf("growth: %w\n%s", err, s.lastWords())
	}
	return g, nil
}

func (s *side) costs(ctx context.Context, w *world, n int) (p50, seconds, cpu float64, err error) {
	before, _ := s.cpuTime()
	t, err := drive(ctx, w, s, n, 8)
	if err != nil {
		return 0, 0, 0, err
	}
	after, _ := s.cpuTime()
	slices.Sort(t.latencies)
	each := func(d time.Duration) float64 { return d.Seconds() / float64(n) }
	return round(t.latencies[n/2].Seconds() * 1000), each(t.took), round(1000 * each(after-before)), nil
}
