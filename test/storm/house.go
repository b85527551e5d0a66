package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// playbook contains, opens a ticket, and stays open, so that every later alert has a run to join.
const playbook = `schema: tourniquet/v1
id: storm
title: Contain, open a ticket, wait
owner: secops
trigger:
  if: alert.kind == "key.leaked"
steps:
  - id: contain
    uses: key.contain
    with: { key: "${{ key }}" }
  - id: ticket
    uses: incident.open
    with: { title: "Stolen ${{ key.provider }} key ${{ key.hint }}" }
  - id: rest
    wait: 12h
`

const config = `mode: enforce
server: { listen: "@listen", data_dir: data }
temporal: @temporal
encryption: { key_ring: keyring.json }
github:
  token: @secrets/github
  base_url: @hub/
  tickets: { owner: acme, repo: incidents }
providers:
  gemini:
    - account: storm
      project: storm-project
      access_token: @secrets/google
      endpoints: { api_keys: "@google", service_usage: "@google", monitoring: "@google", logging: "@google", generative: "@google" }
sources:
  generic: { trust: act, token: @secrets/alerts }
people: [{ id: ana, name: Ana }, { id: bo, name: Bo }, { id: lee, name: Lee }]
groups: { secops: { people: [ana, bo, lee] } }
policy:
  undoable:
    auto_if: 'source.trust == "act" && !key.critical && reach == "key"'
    default_signoff: [{ group: secops, count: 1 }]
  final: { seats: [{ group: secops, count: 1 }], exclude: [starter, key_owner], expires: 4h, use_within: 10m }
  undo: { seats: [{ group: secops, count: 1 }], exclude: [key_owner] }
  auto_limit: { runs: 1000000, per: 10m }
  responders: secops
playbooks: { dir: playbooks }
`

// house is the product: a folder, and the serve that runs in it.
type house struct {
	c                        choices
	dir, url, token, reading string
	cluster                  *cluster // nil: embedded

	mu    sync.Mutex
	serve *exec.Cmd
	done  chan struct{}
}

func newHouse(c choices, dir string, w *world) (*house, error) {
	listen, err := freePort()
	if err != nil {
		return nil, err
	}
	h := &house{c: c, dir: dir, url: "http://" + listen, token: random()}
	temporal := "{ mode: embedded }"
	if c.disturb {
		at, err := freePort()
		if err != nil {
			return nil, err
		}
		_, port, _ := net.SplitHostPort(at)
		h.cluster = &cluster{dir: dir, port: port}
		temporal = fmt.Sprintf("{ mode: external, address: %q }", at)
	}
	for _, name := range []string{"secrets", "playbooks", "data"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o700); err != nil {
			return nil, err
		}
	}
	text := strings.NewReplacer("@listen", listen, "@temporal", temporal, "@secrets", "file://"+filepath.ToSlash(filepath.Join(dir, "secrets")),
		"@hub", w.hubURL, "@google", w.googleURL).Replace(config)
	for name, body := range map[string]string{
		"secrets/github": w.hub.Token(), "secrets/google": w.AdminToken(), "secrets/alerts": h.token,
		"playbooks/storm.yaml": playbook, "tourniquet.yaml": text,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(body), 0o600); err != nil {
			return nil, err
		}
	}
	return h, nil
}

// open starts everything and makes the token with which fates are read.
func (h *house) open(ctx context.Context) error {
	if h.cluster != nil {
		if err := h.cluster.start(ctx); err != nil {
			return err
		}
	}
	if err := h.start(ctx); err != nil {
		return err
	}
	out, err := exec.CommandContext(ctx, h.c.binary, "--config", filepath.Join(h.dir, "tourniquet.yaml"), "person", "token", "--for", "ana", "--issued-by", "lee").Output() //nolint:gosec // our own program
	h.reading = strings.TrimSpace(string(out))
	if err != nil || h.reading == "" {
		return fmt.Errorf("no personal token was made: %w", err)
	}
	return nil
}

// start runs serve until it answers.
func (h *house) start(ctx context.Context) error {
	log, err := os.OpenFile(filepath.Join(h.dir, "serve.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()                                                            // the child has its own handle
	cmd := exec.Command(h.c.binary, "serve", "--config", filepath.Join(h.dir, "tourniquet.yaml")) //nolint:noctx,gosec // ends with kill
	cmd.Env = append(os.Environ(), "TOURNIQUET_LOG=warn")
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return err
	}
	done := make(chan struct{})
	go func() { _ = cmd.Wait(); close(done) }()
	h.mu.Lock()
	h.serve, h.done = cmd, done
	h.mu.Unlock()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if get(ctx, h.url+"/healthz") {
			return nil
		}
		select {
		case <-done:
			return errors.Join(errors.New("serve ended before it answered"), h.lastWords())
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

func get(ctx context.Context, url string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	_ = res.Body.Close()
	return res.StatusCode == http.StatusOK
}

// kill gives serve no chance to tidy up.
func (h *house) kill() {
	h.mu.Lock()
	cmd, done := h.serve, h.done
	h.mu.Unlock()
	if cmd != nil {
		_ = cmd.Process.Kill() // gone already is as good
		<-done
	}
}

func (h *house) close() {
	h.kill()
	if h.cluster != nil {
		h.cluster.kill()
	}
}

// lastWords is the end of what serve said.
func (h *house) lastWords() error {
	body, err := os.ReadFile(filepath.Join(h.dir, "serve.log"))
	if err != nil || len(body) == 0 {
		return nil //nolint:nilerr // without a log there are no last words
	}
	return fmt.Errorf("serve said at last: %s", body[max(0, len(body)-3000):])
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("no loopback port is free: %w", err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String(), nil
}

func random() string {
	b := make([]byte, 20)
	_, _ = rand.Read(b) // crypto/rand never fails
	return hex.EncodeToString(b)
}
