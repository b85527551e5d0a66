package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tourniquet-ir/tourniquet/internal/database/pgtest"
	"github.com/tourniquet-ir/tourniquet/internal/freeport"
	"github.com/tourniquet-ir/tourniquet/test/chaos/hook"
	"github.com/tourniquet-ir/tourniquet/test/rig"
	"github.com/tourniquet-ir/tourniquet/test/rig/front"
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
server: { listen: "@listen", data_dir: "@data"@more }
temporal: @temporal
database: @database
evidence: @evidence
encryption: { key_ring: "@ring", @signing }
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
inventory: { file: "@keys" }
playbooks: { dir: "@books" }
`

// member is one process of the product, in a folder of its own.
type member struct {
	*rig.Serve
	name  string
	clock string   // file that says how far its clock is ahead
	lives int      // each leaves a trace of its own
	more  []string // of its environment
}

// trace is the file in which life number n leaves its transitions.
func (m *member) trace(n int) string { return filepath.Join(m.Dir, fmt.Sprintf("trace-%04d.tsv", n)) }

// live starts the process for one more life, which ends by itself at the n-th transition of a kind when mark names one.
func (m *member) live(ctx context.Context, mark string, n int) error {
	m.lives++
	m.Env = append(slices.Clone(m.more),
		hook.TraceVar+"="+m.trace(m.lives), hook.ClockVar+"="+m.clock, hook.KillVar+"="+mark, hook.CountVar+"="+fmt.Sprint(n))
	if m.name != "" {
		m.Env = append(m.Env, "TOURNIQUET_ROLE="+m.name)
	}
	return m.Start(ctx)
}

// house is the product in a folder, with its engine inside or as a process of its own.
type house struct {
	*member           // who has the doors
	apis    []*member // more of its kind, behind one address
	workers []*member // beside it, where api and workers are processes of their own
	w       *world
	cluster *rig.Cluster   // nil: embedded
	records *pgtest.Server // nil: SQLite
	pairs   pairs          // proxies between serve and what it speaks with; empty: none
	token   string         // with which alerts are sent
	address string         // of the records, for who reads them in the end
	front   *front.Front   // before several that have the doors; nil: one has them
}

// plan says what kind of house it is to be.
type plan struct {
	binary, dir string
	external    bool // the engine is a process of its own, and everything is reached through proxies
	socket      bool // Slack's presses come through Socket Mode
	workers     int  // processes beside the api; they share a PostgreSQL
	apis        int  // processes with doors, behind one address; 0: one
	direct      bool // no proxies, and the engine keeps its state in the PostgreSQL, too
}

// newHouse writes everything that an operator would have written.
func newHouse(ctx context.Context, p plan, w *world) (*house, error) {
	listen, err := freeport.Free()
	if err != nil {
		return nil, err
	}
	h := &house{member: &member{Serve: &rig.Serve{Binary: p.binary, Dir: p.dir, URL: "http://" + listen}, clock: filepath.Join(p.dir, "clock")}, w: w, token: rig.Random()}
	h.address = filepath.Join(h.data(), "tourniquet.db")
	slots := map[string]string{
		"@temporal": "{ mode: embedded }", "@database": "{ driver: sqlite }", "@evidence": `{ url: "" }`, "@signing": `public_keys: ""`, "@socket": fmt.Sprint(p.socket), "@more": "",
		"@google": w.googleURL, "@hub": w.hubURL, "@slack": w.slackURL, "@ring": filepath.ToSlash(filepath.Join(p.dir, "keyring.json")),
		"@secrets": "file://" + filepath.ToSlash(filepath.Join(p.dir, "secrets")), "@books": filepath.ToSlash(filepath.Join(p.dir, "playbooks")), "@keys": filepath.ToSlash(filepath.Join(p.dir, "inventory.yaml")),
	}
	if p.external {
		err = h.outside(ctx, p, listen, slots)
	} else {
		w.slack.Deliver(h.URL+"/v1/slack/interactions", h.URL+"/v1/slack/commands")
	}
	if err == nil {
		err = h.furnish(slots)
	}
	if err == nil && p.workers > 0 {
		err = h.hire(ctx, p, slots)
	}
	return h, err
}

// outside takes engine and records out of the process, and puts proxies between serve and everything it speaks with.
func (h *house) outside(ctx context.Context, p plan, listen string, slots map[string]string) error {
	at, err := freeport.Free()
	if err != nil {
		return err
	}
	_, port, _ := net.SplitHostPort(at)
	h.cluster = &rig.Cluster{Dir: p.dir, Port: port}
	door := listen
	if p.apis > 1 {
		if h.front, err = front.Open(); err != nil {
			return err
		}
		h.front.Add(listen)
		slots["@signing"] = fmt.Sprintf("signing_key: %q", filepath.ToSlash(filepath.Join(p.dir, "signing.json"))) // one for all that sign
		door, slots["@more"] = h.front.Address, fmt.Sprintf(", drain: 1s, url: %q", "http://"+h.front.Address)
	}
	far := map[string]string{toSlack: h.w.slackURL, fromSlack: door, toGoogle: h.w.googleURL, toGitHub: h.w.hubURL, toEngine: at, toServe: door}
	if p.workers > 0 {
		if h.records, err = pgtest.Start(ctx, "fsync=on"); err != nil {
			return err
		}
		if h.address, err = h.records.Database(ctx, ""); err != nil {
			return err
		}
		far[toRecords], far[workersTo] = fmt.Sprintf("%s:%d", h.records.Host(), h.records.Port()), at
	}
	if p.direct {
		h.pairs, h.cluster.Database = directPairs(far), h.records.URL("engine")
	} else if h.pairs, err = openPairs(far); err != nil {
		return err
	}
	slots["@temporal"] = fmt.Sprintf("{ mode: external, address: %q }", h.pairs.address(toEngine))
	slots["@google"], slots["@hub"], slots["@slack"] = h.pairs.url(toGoogle), h.pairs.url(toGitHub), h.pairs.url(toSlack)
	if p.workers > 0 {
		slots["@database"] = fmt.Sprintf("{ driver: postgres, url: %s/database }", slots["@secrets"])
		slots["@evidence"] = fmt.Sprintf("{ url: %q }", "file://"+filepath.ToSlash(filepath.Join(p.dir, "evidence")))
	}
	h.w.slack.Deliver(h.pairs.url(fromSlack)+"/v1/slack/interactions", h.pairs.url(fromSlack)+"/v1/slack/commands")
	return nil
}

// furnish writes what all processes share, and the configuration of the one that has the doors.
func (h *house) furnish(slots map[string]string) error {
	for _, name := range []string{"secrets", "playbooks", "data", "evidence"} {
		if err := os.MkdirAll(filepath.Join(h.Dir, name), 0o700); err != nil {
			return err
		}
	}
	c := h.w.slack.Credentials()
	slots["@channel"], slots["@team"], slots["@app"] = c.Channel, c.Team, c.App
	for name, body := range map[string]string{
		"secrets/github": h.w.hub.Token(), "secrets/google": h.w.AdminToken(), "secrets/alerts": h.token, "secrets/database": h.throughProxy(),
		"secrets/slack-token": c.Token, "secrets/slack-app-token": c.AppToken, "secrets/slack-signing": c.SigningSecret,
		"playbooks/chaos.yaml": playbook, "inventory.yaml": h.w.inventory(),
	} {
		if err := os.WriteFile(filepath.Join(h.Dir, name), []byte(body), 0o600); err != nil {
			return err
		}
	}
	return h.member.write(slots)
}

// write makes the configuration of one process.
func (m *member) write(slots map[string]string) error {
	text := config
	for slot, value := range slots {
		text = strings.ReplaceAll(text, slot, value)
	}
	text = strings.NewReplacer("@listen", strings.TrimPrefix(m.URL, "http://"), "@data", filepath.ToSlash(m.data())).Replace(text)
	return os.WriteFile(filepath.Join(m.Dir, "tourniquet.yaml"), []byte(text), 0o600)
}

// throughProxy is the address of the records as serve is to use it.
func (h *house) throughProxy() string {
	if h.records == nil {
		return h.address
	}
	direct := fmt.Sprintf("%s:%d", h.records.Host(), h.records.Port())
	return strings.Replace(h.address, direct, h.pairs.address(toRecords), 1)
}

// hire makes the processes beside the first one: more with doors, which share its keys, and workers, which have the ring and the
// public keys, and no doors.
func (h *house) hire(ctx context.Context, p plan, slots map[string]string) error {
	h.name = "api"
	for i := 1; i < p.apis; i++ {
		m, err := h.one("api", i+1, slots)
		if err != nil {
			return err
		}
		h.apis = append(h.apis, m)
		h.front.Add(strings.TrimPrefix(m.URL, "http://"))
	}
	if _, err := h.Command(ctx, "encryption", "init"); err != nil {
		return err
	}
	public, err := h.Command(ctx, "encryption", "public")
	if err != nil {
		return err
	}
	path := filepath.Join(h.Dir, "public.json")
	if err := os.WriteFile(path, []byte(public), 0o600); err != nil {
		return err
	}
	slots["@signing"] = fmt.Sprintf("public_keys: %q", filepath.ToSlash(path))
	slots["@temporal"] = fmt.Sprintf("{ mode: external, address: %q }", h.pairs.address(workersTo))
	for i := range p.workers {
		m, err := h.one("worker", i+1, slots)
		if err != nil {
			return err
		}
		h.workers = append(h.workers, m)
	}
	return nil
}

// one is one more process, in a folder of its own.
func (h *house) one(role string, n int, slots map[string]string) (*member, error) {
	listen, err := freeport.Free()
	if err != nil {
		return nil, err
	}
	m := &member{Serve: &rig.Serve{Binary: h.Binary, Dir: filepath.Join(h.Dir, fmt.Sprintf("%s-%d", role, n)), URL: "http://" + listen}, name: role, clock: h.clock}
	return m, errors.Join(os.MkdirAll(m.data(), 0o700), m.write(slots))
}

// members are all processes of the product.
func (h *house) members() []*member {
	return slices.Concat([]*member{h.member}, h.apis, h.workers)
}

// data is where a process keeps its records.
func (m *member) data() string { return filepath.Join(m.Dir, "data") }

func (h *house) close() {
	for _, m := range h.members() {
		m.Kill()
	}
	if h.front != nil {
		h.front.Close()
	}
	if h.cluster != nil {
		h.cluster.Kill()
	}
	h.pairs.close()
	if h.records != nil {
		_ = h.records.Stop() // what a test's server leaves is no failure
	}
}
