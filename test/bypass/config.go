package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// genericSecret signs alerts of the source "generic"; it opens nothing else.
const genericSecret = "an-example-signing-secret-of-thirty-two-bytes"

// config is what an operator would write. Where the world is stands in the stage's own configuration, from its section slack to
// the one before sources; who decides what is said here. Looks at people are believed for a second only, so that nobody has to
// wait half a minute for a change of a group to be seen.
func (h *house) config(listen, stage string) (string, error) {
	_, outside, ok1 := strings.Cut(stage, "\nslack:\n")
	outside, _, ok2 := strings.Cut(outside, "\nsources:\n")
	if !ok1 || !ok2 {
		return "", errors.New("the stage's configuration has no sections from slack to sources")
	}
	return strings.NewReplacer(
		"@listen", listen, "@secrets", "file://"+filepath.ToSlash(filepath.Join(h.dir, "secrets")), "@outside", outside, "@use_within", h.useWithin.String(), "@rooms", strconv.FormatBool(h.rooms),
	).Replace(configText), nil
}

const configText = `mode: enforce
server: { listen: "@listen", data_dir: data }
slack:
  socket_mode: true
  remember: 1s
  channel_per_incident: @rooms
@outside
sources:
  github: { trust: act, secret: @secrets/github-hook }
  generic: { trust: tell, secret: @secrets/generic }
people:
  - { id: ana, name: Ana, slack: U0ANA }
  - { id: bo, name: Bo, slack: U0BO }
  - { id: cy, name: Cy, slack: U0CY }
  - { id: kim, name: Kim, slack: U0KIM }
  - { id: sam, name: Sam, slack: U0SAM }
  - { id: lee, name: Lee, slack: U0LEE }
  - { id: gus, name: Gus, slack: U0GUS }
  - { id: fay, name: Fay, slack: U0FAY }
  - { id: rob, name: Rob, slack: U0ROB }
  - { id: del, name: Del, slack: U0DEL }
groups:
  secops: { slack_usergroup: S0SECOPS }
  secops_lead: { people: [lee] }
policy:
  undoable:
    auto_if: 'source.trust == "act" && !key.critical && reach == "key"'
    default_signoff: [{ group: secops, count: 1 }]
  final: { seats: [{ group: secops, count: 2 }], exclude: [starter, key_owner], expires: 4h, use_within: @use_within }
  undo: { seats: [{ group: secops, count: 2 }], exclude: [key_owner] }
  auto_limit: { runs: 2, per: 1h }
  responders: secops
inventory: { file: inventory.yaml }
playbooks: { dir: playbooks }
`

// dependentName is the repository secret that holds the first spare key.
const dependentName = "BYPASS_GEMINI_KEY"

// inventory says that kim owns every key. The first spare one has a dependent.
func (h *house) inventory() string {
	var b strings.Builder
	b.WriteString("keys:\n")
	for n, k := range h.spare {
		_, _ = fmt.Fprintf(&b, "  - provider: gemini\n    account: demo\n    id: %s\n    owner: kim\n    critical: false\n", k.ID) // a builder takes everything
		if n == 0 {
			h.GitHub.SetSecret("example-org", "shop", "", dependentName, k.Secret())
			_, _ = fmt.Fprintf(&b, "    dependents:\n      - kind: github_actions_secret\n        owner: example-org\n        repo: shop\n        name: %s\n", dependentName)
			continue
		}
		b.WriteString("    dependents: []\n")
	}
	return b.String()
}

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

// finalError is an error that waiting does not mend.
type finalError struct{ error }

func final(err error) error { return finalError{err} }

// until waits until look succeeds; its last error says what was missing.
func until(ctx context.Context, within time.Duration, look func() error) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	beat := time.NewTicker(5 * time.Millisecond)
	defer beat.Stop()
	for {
		err := look()
		if last := (finalError{}); err == nil || errors.As(err, &last) {
			return err
		}
		select {
		case <-beat.C:
		case <-ctx.Done():
			return fmt.Errorf("after %s: %w", within, err)
		}
	}
}
