package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/tourniquet-ir/tourniquet/test/chaos/hook"
	"github.com/tourniquet-ir/tourniquet/test/rig"
)

// playbook has a call of every kind: undoable ones with and without people, notes, evidence, a question, two sign-offs, final
// ones alone and in a loop, and a proof that is tried until it holds.
const playbook = `schema: tourniquet/v1
id: chaos
title: Contain, replace and revoke
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
  - id: usage
    uses: usage.snapshot
    with: { key: "${{ key }}", since: "${{ alert.observed_at - duration(\"1h\") }}" }
  - id: triage
    ask:
      from: secops
      prompt: Abuse, or a load test somebody forgot?
      choices: [abuse, legitimate]
      within: 2h
      otherwise: abuse
  - id: false_alarm
    if: steps.triage.outputs.choice == "legitimate"
    end: false_alarm
  - id: replace
    signoff:
      by: [{ group: secops, count: 2 }]
      why: Dependents still hold the stolen key
      within: 2h
      otherwise: stop
    steps:
      - id: fresh
        uses: key.create
        with: { like: "${{ key }}" }
      - id: rotate
        for_each: ${{ key.dependents }}
        as: dependent
        at_once: 2
        steps:
          - id: hand_over
            uses: dependent.update
            with: { dependent: "${{ dependent }}", key: "${{ steps.fresh.outputs.key }}" }
  - id: revoke
    uses: key.revoke
    with: { key: "${{ key }}" }
    signoff:
      by: [{ group: secops, count: 2 }]
      why: Contained and replaced; the stolen key has no use left
      within: 2h
      otherwise: stop
  - id: dead
    uses: key.probe
    with: { key: "${{ key }}" }
    until: result.state == "refused"
    every: 1s
    within: 1h
  - id: close_incident
    uses: incident.close
    with: { summary: "${{ steps.dead.outputs.summary }}" }
finally:
  - id: report
    uses: incident.report
`

const config = `mode: enforce
server: { listen: "@listen", data_dir: "@data" }
temporal: @temporal
encryption: { key_ring: keyring.json }
slack:
  token: @secrets/slack-token
  app_token: @secrets/slack-app-token
  signing_secret: @secrets/slack-signing
  socket_mode: @socket
  base_url: @slack/api/
  channel: @channel
  teams: [@team]
  apps: [@app]
github:
  token: @secrets/github
  base_url: @hub/
  tickets: { owner: acme, repo: incidents }
secret_stores:
  github: {}
providers:
  gemini:
    - account: chaos
      project: chaos-project
      access_token: @secrets/google
      endpoints: { api_keys: "@google", service_usage: "@google", monitoring: "@google", logging: "@google", generative: "@google" }
sources:
  generic: { trust: act, token: @secrets/alerts }
people:
  - { id: ana, name: Ana, slack: U0ANA }
  - { id: bo, name: Bo, slack: U0BO }
  - { id: lee, name: Lee, slack: U0LEE }
groups:
  secops: { slack_usergroup: S0SECOPS }
  secops_lead: { people: [lee] }
policy:
  undoable:
    auto_if: 'source.trust == "act" && !key.critical && reach == "key"'
    default_signoff: [{ group: secops, count: 1 }]
  final: { seats: [{ group: secops, count: 2 }], exclude: [starter, key_owner], expires: 4h, use_within: 10m }
  undo: { seats: [{ group: secops, count: 2 }], exclude: [key_owner] }
  auto_limit: { runs: 1000000, per: 10m }
  responders: secops
inventory: { file: inventory.yaml }
playbooks: { dir: playbooks }
`

// house is the product in a folder, with its engine inside or as a process of its own.
type house struct {
	*rig.Serve
	w       *world
	cluster *rig.Cluster // nil: embedded
	pairs   pairs        // proxies between serve and what it speaks with; empty: none
	token   string       // with which alerts are sent
	traces  int          // lives so far, each with a trace of its own
}

// plan says what kind of house it is to be.
type plan struct {
	binary, dir string
	external    bool // the engine is a process of its own, and everything is reached through proxies
	socket      bool // Slack's presses come through Socket Mode
}

func newHouse(p plan, w *world) (*house, error) {
	listen, err := rig.FreePort()
	if err != nil {
		return nil, err
	}
	h := &house{Serve: &rig.Serve{Binary: p.binary, Dir: p.dir, URL: "http://" + listen}, w: w, token: rig.Random()}
	temporal, google, hub, slack := "{ mode: embedded }", w.googleURL, w.hubURL, w.slackURL
	if p.external {
		at, err := rig.FreePort()
		if err != nil {
			return nil, err
		}
		_, port, _ := net.SplitHostPort(at)
		h.cluster = &rig.Cluster{Dir: p.dir, Port: port}
		if h.pairs, err = openPairs(w, listen, at); err != nil {
			return nil, err
		}
		temporal = fmt.Sprintf("{ mode: external, address: %q }", h.pairs.address(toEngine))
		google, hub, slack = h.pairs.url(toGoogle), h.pairs.url(toGitHub), h.pairs.url(toSlack)
		w.slack.Deliver(h.pairs.url(fromSlack)+"/v1/slack/interactions", h.pairs.url(fromSlack)+"/v1/slack/commands")
	} else {
		w.slack.Deliver(h.URL+"/v1/slack/interactions", h.URL+"/v1/slack/commands")
	}
	for _, name := range []string{"secrets", "playbooks", "data"} {
		if err := os.MkdirAll(filepath.Join(p.dir, name), 0o700); err != nil {
			return nil, err
		}
	}
	c := w.slack.Credentials()
	text := strings.NewReplacer("@listen", listen, "@data", filepath.ToSlash(h.data()), "@temporal", temporal, "@socket", fmt.Sprint(p.socket),
		"@secrets", "file://"+filepath.ToSlash(filepath.Join(p.dir, "secrets")), "@hub", hub, "@google", google, "@slack", slack,
		"@channel", c.Channel, "@team", c.Team, "@app", c.App).Replace(config)
	for name, body := range map[string]string{
		"secrets/github": w.hub.Token(), "secrets/google": w.AdminToken(), "secrets/alerts": h.token,
		"secrets/slack-token": c.Token, "secrets/slack-app-token": c.AppToken, "secrets/slack-signing": c.SigningSecret,
		"playbooks/chaos.yaml": playbook, "inventory.yaml": w.inventory(), "tourniquet.yaml": text,
	} {
		if err := os.WriteFile(filepath.Join(p.dir, name), []byte(body), 0o600); err != nil {
			return nil, err
		}
	}
	return h, nil
}

// data is where serve keeps its records.
func (h *house) data() string { return filepath.Join(h.Dir, "data") }

// clock is the file that says how far serve's clock is ahead.
func (h *house) clock() string { return filepath.Join(h.Dir, "clock") }

// trace is the file in which life number n leaves its transitions.
func (h *house) trace(n int) string { return filepath.Join(h.Dir, fmt.Sprintf("trace-%04d.tsv", n)) }

// live starts serve for one more life, which ends by itself at the n-th transition of a kind when mark names one.
func (h *house) live(ctx context.Context, mark string, n int) error {
	h.traces++
	h.Env = []string{
		hook.TraceVar + "=" + h.trace(h.traces), hook.ClockVar + "=" + h.clock(), hook.KillVar + "=" + mark, hook.CountVar + "=" + fmt.Sprint(n),
	}
	return h.Start(ctx)
}

func (h *house) close() {
	h.Kill()
	if h.cluster != nil {
		h.cluster.Kill()
	}
	h.pairs.close()
}
