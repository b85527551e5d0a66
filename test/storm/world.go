package main

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
)

const (
	project = "storm-project"
	owner   = "acme"
	repo    = "incidents"
)

// world is the outside: Google's keys and a tracker for tickets.
type world struct {
	*sandbox.World
	hub               *sandbox.GitHub
	googleURL, hubURL string
	keys              []string
	servers           []*http.Server
	log               *os.File
}

func openWorld(path string, keys int) (*world, error) {
	log, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	w := &world{World: sandbox.NewWorld(sandbox.Options{Log: log}), log: log}
	w.hub = w.World.GitHub()
	w.hub.AddRepo(owner, repo)
	for i := range keys {
		w.keys = append(w.keys, w.NewGeminiKey(sandbox.GeminiKey{Project: project, Name: fmt.Sprintf("storm %d", i)}).ID)
	}
	if w.googleURL, err = w.listen(w.Google()); err == nil {
		w.hubURL, err = w.listen(w.hub)
	}
	return w, err
}

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
