package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// line is one line of the sender's log: a delivery and what it was told, or the fate of an alert in the end.
type line struct {
	T       time.Time `json:"t"`
	MS      float64   `json:"ms"`
	ID      string    `json:"id"`
	Key     string    `json:"key"`
	Status  int       `json:"status"` // 0: no answer came
	Said    string    `json:"said,omitempty"`
	AlertID string    `json:"alert_id,omitempty"`
	Audit   bool      `json:"audit,omitempty"` // sent again when all was settled
	Fate    string    `json:"fate,omitempty"`
}

// sender is all clients together.
type sender struct {
	c      choices
	h      *house
	w      *world
	client *http.Client
	acked  atomic.Int64

	mu  sync.Mutex
	log *bufio.Writer
	out *os.File
	ids []string // alert ids as first told, by number
}

func newSender(c choices, h *house, w *world, path string) (*sender, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	return &sender{c: c, h: h, w: w, out: f, log: bufio.NewWriter(f), ids: make([]string, c.alerts),
		client: &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: c.clients}}}, nil
}

func (s *sender) close() error { return errors.Join(s.log.Flush(), s.out.Close()) }

func (s *sender) write(l line) {
	raw, err := json.Marshal(l)
	if err != nil {
		panic(err) // a line is plain
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_, _ = s.log.Write(append(raw, '\n')) // a broken log shows at close
}

// each lets the clients share the numbers of all alerts.
func (s *sender) each(ctx context.Context, do func(context.Context, int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Int64
	var all sync.WaitGroup
	for range s.c.clients {
		all.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= s.c.alerts || ctx.Err() != nil {
					return
				}
				if err := do(ctx, i); err != nil {
					cancel(err)
					return
				}
			}
		})
	}
	all.Wait()
	return context.Cause(ctx)
}

// sendAll sends every alert until it is acknowledged; what disturbs runs beside it.
func (s *sender) sendAll(ctx context.Context) error {
	disturbed := make(chan error, 1)
	go func() { disturbed <- s.disturb(ctx) }()
	err := s.each(ctx, func(ctx context.Context, i int) error {
		for wait := 20 * time.Millisecond; ; wait = min(2*wait, time.Second) {
			l := s.post(ctx, i, false)
			if l.Status == http.StatusAccepted {
				s.ids[i] = l.AlertID
				s.acked.Add(1)
				return nil
			}
			if l.Status != 0 && l.Status != http.StatusServiceUnavailable {
				return fmt.Errorf("alert %s was answered %d", l.ID, l.Status)
			}
			if err := pause(ctx, wait); err != nil {
				return err
			}
		}
	})
	return errors.Join(err, <-disturbed)
}

// disturb kills serve when a third is acknowledged and the engine when half is, which stays away for a while.
func (s *sender) disturb(ctx context.Context) error {
	if !s.c.disturb {
		return nil
	}
	if err := s.until(ctx, s.c.alerts/3); err != nil {
		return err
	}
	say("serve is killed with %d acknowledged", s.acked.Load())
	s.h.kill()
	if err := s.h.start(ctx); err != nil {
		return err
	}
	if err := s.until(ctx, s.c.alerts/2); err != nil {
		return err
	}
	say("the workflow engine is killed with %d acknowledged; it stays away for %s", s.acked.Load(), s.c.away)
	s.h.cluster.kill()
	if err := pause(ctx, s.c.away); err != nil {
		return err
	}
	say("the workflow engine comes back with %d acknowledged", s.acked.Load())
	return s.h.cluster.start(ctx)
}

func (s *sender) until(ctx context.Context, acked int) error {
	for s.acked.Load() < int64(acked) {
		if err := pause(ctx, time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C:
		return nil
	}
}

// post sends one alert once and writes down what came of it.
func (s *sender) post(ctx context.Context, i int, audit bool) line {
	key := s.w.keys[i%len(s.w.keys)]
	l := line{T: time.Now().UTC(), ID: fmt.Sprintf("storm-%06d", i), Key: key, Audit: audit}
	defer func() { s.write(l) }()
	body := fmt.Sprintf(`{"id":%q,"kind":"key.leaked","severity":"critical","title":"A key in a public notebook","key":{"provider":"gemini","account":"storm","id":%q}}`, l.ID, key)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.h.url+"/v1/alerts/generic", strings.NewReader(body))
	if err != nil {
		return l
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+s.h.token)
	began := time.Now()
	res, err := s.client.Do(req)
	if err != nil {
		return l
	}
	defer func() { _ = res.Body.Close() }()
	var said struct {
		AlertID string `json:"alert_id"`
		Status  any    `json:"status"`
	}
	if json.NewDecoder(io.LimitReader(res.Body, 1<<16)).Decode(&said) != nil {
		return l // it broke off: for the sender no answer came
	}
	l.MS, l.Status, l.AlertID = float64(time.Since(began).Microseconds())/1000, res.StatusCode, said.AlertID
	l.Said, _ = said.Status.(string)
	return l
}

// settle waits until every alert has a fate, and writes each down.
func (s *sender) settle(ctx context.Context) error {
	return s.each(ctx, func(ctx context.Context, i int) error {
		for {
			fate, err := s.fate(ctx, s.ids[i])
			if err != nil {
				return err
			}
			if fate != "stored" {
				s.write(line{T: time.Now().UTC(), ID: fmt.Sprintf("storm-%06d", i), Key: s.w.keys[i%len(s.w.keys)], AlertID: s.ids[i], Fate: fate})
				return nil
			}
			if err := pause(ctx, 200*time.Millisecond); err != nil {
				return err
			}
		}
	})
}

// calm waits until the world has a ticket for every key: alerts are settled when their run is started, and the runs go on after
// that. It asks for no more than that, and it gives up: what is missing then is for the judge to name.
func (s *sender) calm(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, longestCalm)
	defer cancel()
	for len(s.w.hub.Issues(owner, repo)) < len(s.w.keys) {
		if pause(ctx, 50*time.Millisecond) != nil {
			say("%d of %d keys have a ticket, and no more came for %s", len(s.w.hub.Issues(owner, repo)), len(s.w.keys), longestCalm)
			return
		}
	}
}

// longestCalm is how long runs may take that were started when the last alert was settled; what waits longest among the retries
// of one call waits less.
const longestCalm = time.Minute

// fate is what became of an alert; one that nobody knows any more is lost.
func (s *sender) fate(ctx context.Context, id string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.h.url+"/v1/alerts/"+id, nil)
	if err != nil {
		return "", err
	}
	req.Header.Set("Authorization", "Bearer "+s.h.reading)
	res, err := s.client.Do(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode == http.StatusNotFound {
		return "lost", nil
	}
	var f struct{ Status string }
	if err := json.NewDecoder(io.LimitReader(res.Body, 1<<16)).Decode(&f); err != nil || res.StatusCode != http.StatusOK {
		return "", fmt.Errorf("the fate of %s was answered %d (%w)", id, res.StatusCode, err)
	}
	return f.Status, nil
}

// audit sends everything once more: what was kept is a duplicate.
func (s *sender) audit(ctx context.Context) error {
	return s.each(ctx, func(ctx context.Context, i int) error {
		for {
			l := s.post(ctx, i, true)
			if l.Status == http.StatusAccepted {
				return nil
			}
			if err := pause(ctx, 50*time.Millisecond); err != nil {
				return err
			}
		}
	})
}
