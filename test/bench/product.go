package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"

	"github.com/tourniquet-ir/tourniquet/internal/freeport"
)

// playbook is contain, snapshot and notify with the placement that production gives them.
const playbook = `schema: tourniquet/v1
id: bench
title: Contain, snapshot, notify
owner: secops
trigger:
  if: alert.kind == "key.leaked"
vars:
  since: ${{ alert.observed_at - duration("3d") }}
steps:
  - id: contain
    uses: key.contain
    with: { key: "${{ key }}" }
  - id: usage
    uses: usage.snapshot
    with: { key: "${{ key }}", since: "${{ vars.since }}" }
  - id: tell
    uses: owners.notify
    with: { key: "${{ key }}", text: "${{ steps.contain.outputs.summary }}" }
`

const productConfig = `mode: enforce
server: { listen: "@listen", data_dir: data }
slack:
  token: @secrets/slack-token
  app_token: @secrets/slack-app-token
  signing_secret: @secrets/slack-signing
  base_url: @slack/api/
  channel: @channel
  teams: [@team]
  apps: [@app]
providers:
  gemini:
    - account: bench
      project: @project
      access_token: @secrets/provider-admin
      endpoints: { api_keys: "@google", service_usage: "@google", monitoring: "@google", logging: "@google", generative: "@google" }
sources:
  generic: { trust: act, token: @secrets/alert-token }
people: [{ id: ana, name: Ana, slack: U0ANA }, { id: bo, name: Bo, slack: U0BO }, { id: lee, name: Lee, slack: U0LEE }]
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

// buildProduct is for who brought no program of their own.
func buildProduct(ctx context.Context, dir string) (binary string, err error) {
	binary = filepath.Join(dir, "tourniquet")
	build := exec.CommandContext(ctx, "go", "build", "-o", binary, "github.com/tourniquet-ir/tourniquet/cmd/tourniquet")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("tourniquet does not build: %w\n%s", err, out)
	}
	return binary, nil
}

// startProduct writes what an operator would have written, and starts serve.
func startProduct(ctx context.Context, binary, dir string, w *world, config, playbook string) (*side, error) {
	s, err := prepareProduct(binary, dir, w, config, playbook)
	if err != nil {
		return nil, err
	}
	return s, s.open(ctx, "/readyz")
}

// prepareProduct does everything but the start. Env is added to the environment of serve.
func prepareProduct(binary, dir string, w *world, config, playbook string, env ...string) (*side, error) {
	if err := os.MkdirAll(filepath.Join(dir, "playbooks"), 0o700); err != nil {
		return nil, err
	}
	listen, err := freeport.Free()
	if err != nil {
		return nil, err
	}
	token := random()
	file, err := writeProduct(dir, listen, token, w, config, playbook)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(binary, "serve", "--config", file) //nolint:noctx // ends with stop, which lets it drain
	cmd.Env = append(append(os.Environ(), "TOURNIQUET_LOG=warn"), env...)
	s := &side{name: "tourniquet", url: "http://" + listen, log: filepath.Join(dir, "log"), config: file, cmd: cmd}
	var count atomic.Int64
	s.send = func(ctx context.Context, key string) (*http.Request, error) {
		body, err := json.Marshal(map[string]any{
			"id": fmt.Sprintf("bench-%d", count.Add(1)), "kind": "key.leaked", "severity": "critical", "title": "A key in a public notebook",
			"key": map[string]string{"provider": "gemini", "account": "bench", "id": key},
		})
		if err != nil {
			return nil, err
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+"/v1/alerts/generic", strings.NewReader(string(body)))
		if err == nil {
			req.Header.Set("Content-Type", "application/json")
			req.Header.Set("Authorization", "Bearer "+token)
		}
		return req, err
	}
	return s, nil
}

func writeProduct(dir, listen, alertToken string, w *world, config, playbook string) (file string, err error) {
	c := w.slack.Credentials()
	for name, value := range map[string]string{
		"slack-token": c.Token, "slack-app-token": c.AppToken, "slack-signing": c.SigningSecret,
		"provider-admin": w.AdminToken(), "alert-token": alertToken,
	} {
		if err := os.MkdirAll(filepath.Join(dir, "secrets"), 0o700); err != nil {
			return "", err
		}
		if err := os.WriteFile(filepath.Join(dir, "secrets", name), []byte(value), 0o600); err != nil {
			return "", err
		}
	}
	text := strings.NewReplacer(
		"@listen", listen, "@secrets", "file://"+filepath.ToSlash(filepath.Join(dir, "secrets")), "@slack", w.slkURL, "@google", w.googleURL,
		"@channel", c.Channel, "@team", c.Team, "@app", c.App, "@project", project,
	).Replace(config)
	if err := os.WriteFile(filepath.Join(dir, "playbooks", "bench.yaml"), []byte(playbook), 0o600); err != nil {
		return "", err
	}
	file = filepath.Join(dir, "tourniquet.yaml")
	return file, os.WriteFile(file, []byte(text), 0o600)
}

func random() string {
	b := make([]byte, 20)
	_, _ = rand.Read(b) // crypto/rand never fails
	return hex.EncodeToString(b)
}
