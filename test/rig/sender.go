package rig

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
	"time"
)

// Line is one line of a sender's log: a delivery and what it was told, or what became of an alert, a card or a run.
type Line struct {
	T       time.Time `json:"t"`
	MS      float64   `json:"ms,omitempty"`
	ID      string    `json:"id"`
	Key     string    `json:"key"`
	Status  int       `json:"status"` // 0: no answer came
	Said    string    `json:"said,omitempty"`
	AlertID string    `json:"alert_id,omitempty"`
	Audit   bool      `json:"audit,omitempty"` // sent again when all was settled
	Fate    string    `json:"fate,omitempty"`

	Shown   string `json:"shown,omitempty"`   // a request whose card in Slack names the key
	Secret  string `json:"secret,omitempty"`  // where an application keeps the key
	Run     string `json:"run,omitempty"`     // a run about the key, with its state and outcome in the end
	State   string `json:"state,omitempty"`   // done, waiting or running
	Outcome string `json:"outcome,omitempty"` // contained, stopped …
	Ledger  string `json:"ledger,omitempty"`  // of the run: whole, or how it is damaged
}

// Sender posts alerts about keys to serve and writes down what it was told.
type Sender struct {
	URL, Token, Account string
	Reading             string // a personal token with which fates are read

	client *http.Client
	mu     sync.Mutex
	log    *bufio.Writer
	out    *os.File
}

// Open makes the log and the connections of as many clients. Close it before the log is read.
func (s *Sender) Open(path string, clients int) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	s.out, s.log = f, bufio.NewWriter(f)
	s.client = &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: clients}}
	return nil
}

// Close makes the log complete.
func (s *Sender) Close() error { return errors.Join(s.log.Flush(), s.out.Close()) }

// Write adds a line.
func (s *Sender) Write(l Line) {
	if l.T.IsZero() {
		l.T = time.Now().UTC()
	}
	raw, err := json.Marshal(l)
	if err != nil {
		panic(err) // a line is plain
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_, _ = s.log.Write(append(raw, '\n')) // a broken log shows at Close
}

// Post sends one alert once and writes down what came of it.
func (s *Sender) Post(ctx context.Context, id, key string, audit bool) Line {
	l := Line{T: time.Now().UTC(), ID: id, Key: key, Audit: audit}
	defer func() { s.Write(l) }()
	body := fmt.Sprintf(`{"id":%q,"kind":"key.leaked","severity":"critical","title":"A key in a public notebook","key":{"provider":"gemini","account":%q,"id":%q}}`, id, s.Account, key)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+"/v1/alerts/generic", strings.NewReader(body))
	if err != nil {
		return l
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+s.Token)
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

// Fate is what became of an alert; one that nobody knows any more is lost.
func (s *Sender) Fate(ctx context.Context, id string) (string, error) {
	var f struct{ Status string }
	status, err := s.Get(ctx, "/v1/alerts/"+id, &f)
	if status == http.StatusNotFound {
		return "lost", nil
	}
	if err != nil {
		return "", fmt.Errorf("the fate of %s was answered %d (%w)", id, status, err)
	}
	return f.Status, nil
}

// Get reads what people may read.
func (s *Sender) Get(ctx context.Context, path string, into any) (status int, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+path, nil)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", "Bearer "+s.Reading)
	res, err := s.client.Do(req)
	if err != nil {
		return 0, err
	}
	defer func() { _ = res.Body.Close() }()
	if err := json.NewDecoder(io.LimitReader(res.Body, 16<<20)).Decode(into); err != nil {
		return res.StatusCode, err
	}
	if res.StatusCode != http.StatusOK {
		return res.StatusCode, fmt.Errorf("%s was answered %d", path, res.StatusCode)
	}
	return res.StatusCode, nil
}

// Pause waits, unless the context ends first.
func Pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C:
		return nil
	}
}
