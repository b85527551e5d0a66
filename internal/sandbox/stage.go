package sandbox

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// The people of the stage. Their Slack ids are as Slack would give them.
const (
	UserAna = "U0ANA"
	UserBo  = "U0BO"
	UserKim = "U0KIM"
	UserLee = "U0LEE"
	group   = "S0SECOPS"
)

// Stage is a world that listens, with the scene of the gemini-leak scenario set: a key, two applications that use it,
// a repository in which it leaked, and four people. The product sees addresses and credentials, nothing else.
type Stage struct {
	World  *World
	Slack  *Slack
	GitHub *GitHub
	Key    Key
	Apps   []*Dependent

	GoogleURL, GitHubURL, SlackURL string
	HookSecret                     string
	AlertNumber                    int

	servers []*http.Server
	health  []string
}

// The repository of the stage.
const (
	stageOwner = "example-org"
	stageRepo  = "shop"
)

// NewStage builds the world and opens it on loopback ports that the system chooses.
func NewStage(opt Options) (*Stage, error) {
	w := NewWorld(opt)
	s := &Stage{World: w, Slack: w.Slack(), GitHub: w.GitHub(), HookSecret: token()}
	s.Key = w.NewGeminiKey(GeminiKey{Project: "demo-shop", Name: "shop production", APITargets: []string{"generativelanguage.googleapis.com"}})
	for _, p := range []SlackPerson{
		{ID: UserAna, Name: "Ana", Title: "security, on call"}, {ID: UserBo, Name: "Bo", Title: "security"},
		{ID: UserKim, Name: "Kim", Title: "owns the key"}, {ID: UserLee, Name: "Lee", Title: "security lead"},
	} {
		s.Slack.AddPerson(p)
	}
	s.Slack.SetGroup(group, UserAna, UserBo)
	return s, errors.Join(s.listen(), s.furnish())
}

func (s *Stage) listen() error {
	for _, it := range []struct {
		url *string
		h   http.Handler
	}{{&s.GoogleURL, s.World.Google()}, {&s.GitHubURL, s.GitHub}, {&s.SlackURL, s.Slack.Handler()}} {
		url, err := s.open(it.h)
		if err != nil {
			return err
		}
		*it.url = url
	}
	return nil
}

func (s *Stage) open(h http.Handler) (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("the sandbox found no free port: %w", err)
	}
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second}
	s.servers = append(s.servers, srv)
	go func() { _ = srv.Serve(l) }() // ends with Close
	return "http://" + l.Addr().String(), nil
}

// furnish deploys the applications with the key and lets GitHub's scanner find it.
func (s *Stage) furnish() error {
	s.GitHub.AddRepo(stageOwner, stageRepo, "deploy.yml")
	s.GitHub.AddRepo(stageOwner, "incidents")
	for _, name := range []string{"SHOP_GEMINI_KEY", "CHAT_GEMINI_KEY"} {
		s.GitHub.SetSecret(stageOwner, stageRepo, "", name, s.Key.Secret())
		app := NewDependent(strings.ToLower(strings.TrimSuffix(name, "_GEMINI_KEY")), nil, "gemini", s.GoogleURL, s.Key.Secret())
		url, err := s.open(app)
		if err != nil {
			return err
		}
		s.Apps, s.health = append(s.Apps, app), append(s.health, url)
	}
	s.GitHub.OnDeploy(func(d GitHubDeploy) error {
		for i, name := range []string{"SHOP_GEMINI_KEY", "CHAT_GEMINI_KEY"} {
			if v, ok := d.Secrets[name]; ok {
				s.Apps[i].Deploy(v)
			}
		}
		return nil
	})
	s.AlertNumber = s.GitHub.AddAlert(stageOwner, stageRepo, "google_api_key", s.Key.Secret(), "config/prod.env")
	return nil
}

// Alert posts the signed webhook of the leak to the product and returns the answer.
func (s *Stage) Alert(ctx context.Context, product string) (status int, body []byte, err error) {
	return s.GitHub.SendAlert(ctx, product+"/v1/alerts/github", s.HookSecret, GitHubHook{
		Owner: stageOwner, Repo: stageRepo, Number: s.AlertNumber, Action: "created", Base: s.GitHubURL,
	})
}

// Attacker is a thief who holds the stage's key.
func (s *Stage) Attacker() *Attacker {
	return NewAttacker(nil, AttackerOptions{Provider: "gemini", URL: s.GoogleURL, Secret: s.Key.Secret()})
}

// Exercise makes every application work once, as its users would, and says which do not.
func (s *Stage) Exercise(ctx context.Context) error {
	var faults []error
	for _, a := range s.Apps {
		faults = append(faults, a.Healthy(ctx))
	}
	return errors.Join(faults...)
}

// Connect tells the sandbox Slack where the product's HTTP door is.
func (s *Stage) Connect(product string) {
	s.Slack.Deliver(product+"/v1/slack/interactions", product+"/v1/slack/commands")
}

// Scripted are the people who decide in a drill without a terminal.
func Scripted(after time.Duration) []ScriptedPerson {
	var out []ScriptedPerson
	for i, u := range []string{UserAna, UserBo, UserLee} {
		out = append(out, ScriptedPerson{User: u, After: after + time.Duration(i)*after/2, Answer: "abuse"})
	}
	return out
}

// Close ends every server of the stage.
func (s *Stage) Close() {
	for _, srv := range slices.Backward(s.servers) {
		_ = srv.Close() // nothing of a sandbox is worth waiting for
	}
}

func token() string {
	b := make([]byte, 20)
	_, _ = rand.Read(b) // crypto/rand never fails
	return hex.EncodeToString(b)
}

// Write puts into dir what an operator would have: a configuration that points at this stage, an inventory, and the
// secrets as files that only the owner can read. listen is where the product is to listen.
func (s *Stage) Write(dir, listen string) (configPath string, err error) {
	c := s.Slack.Credentials()
	secrets := map[string]string{
		"slack-token": c.Token, "slack-app-token": c.AppToken, "slack-signing": c.SigningSecret,
		"github-token": s.GitHub.Token(), "github-hook": s.HookSecret, "google-token": s.World.AdminToken(),
	}
	if err := os.MkdirAll(filepath.Join(dir, "secrets"), 0o700); err != nil {
		return "", fmt.Errorf("the drill's folder cannot be made: %w", err)
	}
	for name, value := range secrets {
		if err := os.WriteFile(filepath.Join(dir, "secrets", name), []byte(value), 0o600); err != nil {
			return "", err
		}
	}
	path := filepath.Join(dir, "tourniquet.yaml")
	text := strings.NewReplacer(
		"@listen", listen, "@secrets", "file://"+filepath.ToSlash(filepath.Join(dir, "secrets")), "@slack", s.SlackURL, "@github", s.GitHubURL,
		"@google", s.GoogleURL, "@channel", c.Channel, "@team", c.Team, "@app", c.App,
	).Replace(stageConfig)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return "", err
	}
	return path, os.WriteFile(filepath.Join(dir, "inventory.yaml"), []byte(s.inventory()), 0o600)
}

func (s *Stage) inventory() string {
	var b strings.Builder
	fmt.Fprintf(&b, "keys:\n  - provider: gemini\n    account: demo\n    id: %s\n    owner: kim\n    critical: false\n    dependents:\n", s.Key.ID)
	for i, name := range []string{"SHOP_GEMINI_KEY", "CHAT_GEMINI_KEY"} {
		fmt.Fprintf(&b, "      - kind: github_actions_secret\n        owner: %s\n        repo: %s\n        name: %s\n", stageOwner, stageRepo, name)
		fmt.Fprintf(&b, "        redeploy: {workflow: deploy.yml, ref: main}\n        check: {kind: http, url: %q}\n", s.health[i])
	}
	return b.String()
}
