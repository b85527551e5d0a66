package main

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
)

const (
	project = "chaos-project"
	owner   = "acme"
	shop    = "shop"
	group   = "S0SECOPS"
)

// world is the outside: Google's keys, a GitHub with an application's secrets and a tracker, and a Slack with people in it.
type world struct {
	*sandbox.World
	hub                         *sandbox.GitHub
	slack                       *sandbox.Slack
	googleURL, hubURL, slackURL string
	keys                        []string // ids of the stolen ones
	servers                     []*http.Server
	log                         *os.File

	mu      sync.Mutex
	deleted map[string]bool // stolen keys that are gone
	pressed int             // presses in Slack so far
}

func openWorld(path string, keys int) (*world, error) {
	log, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	w := &world{World: sandbox.NewWorld(sandbox.Options{Log: log, RevocationDelay: -1}), log: log, deleted: map[string]bool{}}
	w.hub, w.slack = w.World.GitHub(), w.World.Slack()
	w.hub.AddRepo(owner, "incidents")
	w.hub.AddRepo(owner, shop)
	for i := range keys {
		k := w.NewGeminiKey(sandbox.GeminiKey{Project: project, Name: fmt.Sprintf("chaos %d", i), APITargets: []string{"generativelanguage.googleapis.com"}})
		w.keys = append(w.keys, k.ID)
		w.hub.SetSecret(owner, shop, "", secretName(i), k.Secret())
	}
	for _, p := range []sandbox.SlackPerson{{ID: sandbox.UserAna, Name: "Ana"}, {ID: sandbox.UserBo, Name: "Bo"}, {ID: sandbox.UserLee, Name: "Lee"}} {
		w.slack.AddPerson(p)
	}
	w.slack.SetGroup(group, sandbox.UserAna, sandbox.UserBo)
	w.Subscribe(w.watch)
	for url, h := range map[*string]http.Handler{&w.googleURL: w.Google(), &w.hubURL: w.hub, &w.slackURL: w.slack.Handler()} {
		if *url, err = w.listen(h); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// secretName is where the application of a key keeps it.
func secretName(i int) string { return fmt.Sprintf("CHAOS_KEY_%04d", i) }

func (w *world) listen(h http.Handler) (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("no loopback port is free: %w", err)
	}
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second}
	w.servers = append(w.servers, srv)
	go func() { _ = srv.Serve(l) }() // ends with close
	return "http://" + l.Addr().String(), nil
}

// watch notes which stolen keys are gone, and counts presses.
func (w *world) watch(e sandbox.Entry) {
	if e.Method == "PRESS" {
		w.mu.Lock()
		w.pressed++
		w.mu.Unlock()
	}
	if e.Method == http.MethodDelete && e.Effect == sandbox.EffectFinal && e.Status < 400 {
		w.mu.Lock()
		w.deleted[e.Key] = true
		w.mu.Unlock()
	}
}

// gone is how many of the first n stolen keys are deleted.
func (w *world) gone(n int) (gone int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, k := range w.keys[:n] {
		if w.deleted[k] {
			gone++
		}
	}
	return gone
}

// presses is how often people have pressed something.
func (w *world) presses() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.pressed
}

// inventory is what the operator knows of the keys: whose they are, and which application uses each.
func (w *world) inventory() string {
	var b strings.Builder
	b.WriteString("keys:\n")
	for i, k := range w.keys {
		_, _ = fmt.Fprintf(&b, "  - provider: gemini\n    account: chaos\n    id: %s\n    owner: lee\n    critical: false\n    dependents:\n      - { kind: github_actions_secret, owner: %s, repo: %s, name: %s }\n", k, owner, shop, secretName(i))
	}
	return b.String()
}

// close ends every service.
func (w *world) close() {
	for _, s := range w.servers {
		_ = s.Close() // nothing of a sandbox is worth waiting for
	}
}

// finish makes the log complete before anybody judges by it.
func (w *world) finish() error {
	w.close()
	return errors.Join(w.LogError(), w.log.Sync())
}
