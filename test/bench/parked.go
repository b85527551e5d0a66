package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os/exec"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
)

// What 10,000 parked runs may take, and within what 200 of them take a decision after a restart.
const (
	aimParkedMiB   = 400.0
	aimParkedCPU   = 3.0
	aimDecided     = 30.0
	decidedSamples = 200
)

// parkedPlaybook contains at once and then waits for people.
const parkedPlaybook = `schema: tourniquet/v1
id: parked
title: Contain, then revoke with a signature
owner: secops
trigger:
  if: alert.kind == "key.leaked"
steps:
  - id: contain
    uses: key.contain
    with: { key: "${{ key }}" }
  - id: revoke
    uses: key.revoke
    with: { key: "${{ key }}" }
    signoff:
      by: [{ group: secops, count: 1 }]
      why: Contained; the stolen key has no use left
      within: 4h
      otherwise: stop
`

// parked is what runs cost that wait for people.
type parked struct {
	Runs         int     `json:"runs"`
	Seconds      float64 `json:"seconds_to_park_all"`
	Idle         *idle   `json:"idle,omitempty"`
	Ready        float64 `json:"seconds_to_ready_after_kill"`
	AfterRestart *idle   `json:"idle_after_restart,omitempty"`
	ListMillis   float64 `json:"list_ms"`
	Decided      int     `json:"decided"`
	DecidedIn    float64 `json:"seconds_until_all_decided_were_revoked"`
}

// withoutSlack is the configuration of people who decide in console and terminal: Slack takes about one card a second, and ten
// thousand of them would be what is measured.
func withoutSlack() string {
	before, rest, _ := strings.Cut(productConfig, "slack:\n")
	_, after, _ := strings.Cut(rest, "providers:")
	return before + "providers:" + strings.NewReplacer(", slack: U0ANA", "", ", slack: U0BO", "", ", slack: U0LEE", "").Replace(after)
}

func park(ctx context.Context, c choices, dir string) (*parked, error) {
	w, err := openWorld(c.parked)
	if err != nil {
		return nil, err
	}
	defer w.close()
	s, err := startProduct(ctx, c.binary, dir, w, withoutSlack(), parkedPlaybook)
	if err != nil {
		return nil, err
	}
	defer s.stop()
	p := &parked{Runs: c.parked}
	if err := p.measure(ctx, c, w, s); err != nil {
		return nil, fmt.Errorf("parked runs: %w\n%s", err, s.lastWords())
	}
	return p, nil
}

func (p *parked) measure(ctx context.Context, c choices, w *world, s *side) error {
	reader, err := s.personalToken(ctx)
	if err != nil {
		return err
	}
	say("parking %d runs …", p.Runs)
	began := time.Now()
	if err := s.alertAll(ctx, w.keys); err != nil {
		return err
	}
	if err := s.untilOpen(ctx, reader, p.Runs); err != nil {
		return err
	}
	p.Seconds = round(time.Since(began).Seconds())
	say("watching them wait …")
	if p.Idle, err = s.idle(ctx, 3*max(c.idle, time.Second)); err != nil {
		return err
	}
	ready, err := s.again(ctx, "/readyz")
	if err != nil {
		return err
	}
	p.Ready = round(ready.Seconds())
	if p.AfterRestart, err = s.idle(ctx, 3*max(c.idle, time.Second)); err != nil {
		return err
	}
	began = time.Now()
	list, err := s.open10000(ctx, reader)
	if err != nil {
		return err
	}
	p.ListMillis = round(time.Since(began).Seconds() * 1000)
	say("deciding %d of them …", min(decidedSamples, p.Runs))
	return p.decide(ctx, w, s, reader, list)
}

// personalToken is ana's, made as an operator makes it.
func (s *side) personalToken(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, s.cmd.Path, "--config", s.config, "person", "token", "--for", "ana", "--issued-by", "lee").Output() //nolint:gosec // our own program
	if err != nil {
		return "", fmt.Errorf("no personal token was made: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

// alertAll sends an alert for each key, 16 at once; an answer of 503 is tried again, as senders do.
func (s *side) alertAll(ctx context.Context, keys []string) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(16)
	for _, key := range keys {
		g.Go(func() error {
			err := s.alert(ctx, key)
			for try := 0; err != nil && strings.Contains(err.Error(), "answered 503") && try < 100; try++ {
				if err = pause(ctx, 200*time.Millisecond); err == nil {
					err = s.alert(ctx, key)
				}
			}
			return err
		})
	}
	return g.Wait()
}

// asked is what this bench reads of an open sign-off.
type asked struct {
	Request string `json:"request"`
	Digest  string `json:"digest"`
	Code    string `json:"code"`
}

func (s *side) open10000(ctx context.Context, token string) ([]asked, error) {
	var all []asked
	for before := ""; ; {
		var body struct {
			Items []asked `json:"items"`
			Next  string  `json:"next"`
		}
		if err := s.call(ctx, http.MethodGet, "/v1/signoffs?state=open&before="+url.QueryEscape(before), token, nil, &body); err != nil {
			return nil, err
		}
		all = append(all, body.Items...)
		if before = body.Next; before == "" {
			return all, nil
		}
	}
}

func (s *side) untilOpen(ctx context.Context, token string, n int) error {
	last, moved := -1, time.Now()
	for {
		list, err := s.open10000(ctx, token)
		if err != nil || len(list) >= n {
			return err
		}
		if len(list) != last {
			last, moved = len(list), time.Now()
		}
		if time.Since(moved) > 2*stalled {
			return fmt.Errorf("%d of %d runs wait for people and nothing moved for %s", last, n, 2*stalled)
		}
		if err := pause(ctx, 2*time.Second); err != nil {
			return err
		}
	}
}

// decide approves some that lie far apart and waits until the world has seen every key of theirs deleted, and no other.
func (p *parked) decide(ctx context.Context, w *world, s *side, token string, list []asked) error {
	var deleted atomic.Int64
	gone := make(chan struct{}, len(list))
	w.Subscribe(func(e sandbox.Entry) {
		if e.Effect == sandbox.EffectFinal && e.Status < 300 {
			deleted.Add(1)
			gone <- struct{}{}
		}
	})
	p.Decided = min(decidedSamples, len(list))
	began := time.Now()
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(8)
	for i := range p.Decided {
		one := list[i*len(list)/p.Decided]
		g.Go(func() error {
			return s.call(gctx, http.MethodPost, "/v1/signoffs/"+one.Request+"/decisions", token, map[string]string{"verb": "approve", "digest": one.Digest, "code": one.Code}, nil)
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for range p.Decided {
		select {
		case <-gone:
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(4 * stalled):
			return fmt.Errorf("%d of %d signed keys were deleted and nothing moved for %s", deleted.Load(), p.Decided, 4*stalled)
		}
	}
	p.DecidedIn = round(time.Since(began).Seconds())
	return nil
}

// call speaks our API as a person.
func (s *side) call(ctx context.Context, method, path, token string, in, out any) error {
	var body io.Reader
	if in != nil {
		raw, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, s.url+path, body)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	res, err := s.http.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		said, _ := io.ReadAll(io.LimitReader(res.Body, 1<<12)) // the status says enough
		return fmt.Errorf("%s %s was answered %d: %s", method, path, res.StatusCode, said)
	}
	if out == nil {
		return nil
	}
	return json.NewDecoder(res.Body).Decode(out)
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// concludeMore judges the rows that are measured when asked for.
func (r *report) concludeMore() {
	add := func(what string, got, limit float64) {
		r.Aims = append(r.Aims, aim{fmt.Sprintf(what, limit), round(got), got <= limit})
	}
	if g := r.Growth; g != nil {
		add("a run with ten times the closed runs costs at most %.3g times as much of the processor", g.CPUThen/g.CPU, aimGrowth)
	}
	r.Aims = append(r.Aims, scaleAims(r.Scale)...)
	if p := r.Parked; p != nil {
		for _, i := range slices.DeleteFunc([]*idle{p.Idle, p.AfterRestart}, func(i *idle) bool { return i == nil }) {
			add("parked runs hold at most %.3g MiB", i.MiB, aimParkedMiB)
			add("and take at most %.3g %% of a core", i.CPUPercent, aimParkedCPU)
		}
		add("after a restart 200 of them take a decision and are revoked within %.3g s", p.DecidedIn, aimDecided)
	}
}

func (r *report) tableMore(say func(format string, args ...any)) {
	if g := r.Growth; g != nil {
		say("growth, 8 at once: with %d closed runs p50 %.1f ms, %.1f runs/s, %.1f ms of the processor a run; with %d closed runs %.1f ms, %.1f runs/s, %.1f ms",
			g.Closed, g.P50, 1/g.Cost, g.CPU, g.ClosedThen, g.P50Then, 1/g.CostThen, g.CPUThen)
	}
	p := r.Parked
	if p == nil {
		return
	}
	say("%d runs parked in %.0f s; killed, ready again after %.1f s; listed in %.0f ms; %d signed and revoked in %.1f s", p.Runs, p.Seconds, p.Ready, p.ListMillis, p.Decided, p.DecidedIn)
	for name, i := range map[string]*idle{"waiting": p.Idle, "after the restart": p.AfterRestart} {
		if i != nil {
			say("%s: %.0f MiB resident, %.1f %% of one core", name, i.MiB, i.CPUPercent)
		}
	}
}
