package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/tourniquet-ir/tourniquet/internal/freeport"
	"github.com/tourniquet-ir/tourniquet/test/rig"
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

// house is the product: a folder, the serve that runs in it, and the engine where that is a process of its own.
type house struct {
	*rig.Serve
	token, reading string
	cluster        *rig.Cluster // nil: embedded
}

func newHouse(c choices, dir string, w *world) (*house, error) {
	listen, err := freeport.Free()
	if err != nil {
		return nil, err
	}
	h := &house{Serve: &rig.Serve{Binary: c.binary, Dir: dir, URL: "http://" + listen}, token: rig.Random()}
	temporal := "{ mode: embedded }"
	if c.disturb {
		at, err := freeport.Free()
		if err != nil {
			return nil, err
		}
		_, port, _ := net.SplitHostPort(at)
		h.cluster = &rig.Cluster{Dir: dir, Port: port}
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
func (h *house) open(ctx context.Context) (err error) {
	if h.cluster != nil {
		if err := h.cluster.Start(ctx); err != nil {
			return err
		}
	}
	if err := h.Start(ctx); err != nil {
		return err
	}
	h.reading, err = h.Token(ctx)
	return err
}

func (h *house) close() {
	h.Kill()
	if h.cluster != nil {
		h.cluster.Kill()
	}
}
