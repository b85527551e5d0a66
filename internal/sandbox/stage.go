package sandbox

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
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

// Stage is a world that listens, with a scenario's scene set: a key, two applications that use it, a repository in
// which it leaked, and four people. The product sees addresses and credentials, nothing else.
type Stage struct {
	Scenario Scenario
	World    *World
	Slack    *Slack
	GitHub   *GitHub
	Key      Key
	Apps     []*Dependent

	Account  string // under which the configuration knows the key, and who owns it there; an operator's own may stand here
	Owner    string
	Critical bool

	ProviderURL, GitHubURL, SlackURL string
	HookSecret, AlertToken           string
	AlertNumber                      int // of GitHub's scanner; 0 where it found nothing

	servers  []*http.Server
	health   []string
	shelves  *shelves           // stores beside GitHub; nil where the scenario has none
	deployed func(GitHubDeploy) // what they make of a workflow
}

// The repository of the stage.
const (
	stageOwner = "example-org"
	stageRepo  = "shop"
	leakPath   = "config/prod.env"
)

// apps are the applications of the stage.
var apps = []string{"shop", "chat"}

// NewStage is the stage of the default scenario.
func NewStage(opt Options) (*Stage, error) { return Scenarios()[0].Stage(opt) }

// Stage builds the scenario's world and opens it on loopback ports that the system chooses.
func (sc Scenario) Stage(opt Options) (*Stage, error) {
	w := NewWorld(opt)
	s := &Stage{Scenario: sc, World: w, Slack: w.Slack(), GitHub: w.GitHub(), Account: "demo", Owner: "kim", HookSecret: token(), AlertToken: token()}
	s.Key = sc.Issuer.Leak(w)
	if sc.Past != nil {
		sc.Past(w, s.Key)
	}
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
	}{{&s.ProviderURL, s.Scenario.Issuer.Serve(s.World)}, {&s.GitHubURL, s.GitHub}, {&s.SlackURL, s.Slack.Handler()}} {
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
	for _, name := range apps {
		s.GitHub.SetSecret(stageOwner, stageRepo, "", s.Scenario.Issuer.envName(name), s.Key.Secret())
		app := NewDependent(name, nil, s.Scenario.Issuer.Call, s.ProviderURL, s.Key.Secret())
		url, err := s.open(app)
		if err != nil {
			return err
		}
		s.Apps, s.health = append(s.Apps, app), append(s.health, url)
	}
	s.GitHub.OnDeploy(func(d GitHubDeploy) error {
		for i, name := range apps {
			if v, ok := d.Secrets[s.Scenario.Issuer.envName(name)]; ok {
				s.Apps[i].Deploy(v)
			}
		}
		if s.deployed != nil {
			s.deployed(d)
		}
		return nil
	})
	if s.Scenario.Everywhere {
		if err := s.everywhere(); err != nil {
			return err
		}
	}
	if s.Scenario.Finding == nil && !s.Scenario.Unannounced {
		s.AlertNumber = s.GitHub.AddAlert(stageOwner, stageRepo, s.Scenario.Issuer.SecretType, s.Key.Secret(), leakPath)
		s.World.Record(Entry{Service: "github", Method: "LEAK", Path: "/" + stageOwner + "/" + stageRepo + "/" + leakPath, Actor: "developer", Key: s.Key.ID, Effect: EffectLeak})
	}
	return nil
}

// Alert posts the finding to the product as its source would, and returns the answer.
func (s *Stage) Alert(ctx context.Context, product string) (status int, body []byte, err error) {
	if s.Scenario.Finding != nil {
		return s.post(ctx, product+"/v1/alerts/generic", s.Scenario.Finding(s))
	}
	return s.GitHub.SendAlert(ctx, product+"/v1/alerts/github", s.HookSecret, GitHubHook{
		Owner: stageOwner, Repo: stageRepo, Number: s.AlertNumber, Action: "created", Base: s.GitHubURL,
	})
}

// post sends a finding in the product's own form.
func (s *Stage) post(ctx context.Context, url string, finding map[string]any) (int, []byte, error) {
	text, err := json.Marshal(finding)
	if err != nil {
		return 0, nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(text))
	if err != nil {
		return 0, nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+s.AlertToken)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, nil, fmt.Errorf("the finding was not delivered: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(answer.Body, bodyLimit))
	return answer.StatusCode, body, err
}

// Intrude lets the thief prepare, where the scenario has him do so.
func (s *Stage) Intrude(ctx context.Context) error {
	if s.Scenario.Intrude == nil {
		return nil
	}
	return s.Scenario.Intrude(ctx, s)
}

// Use lets happen to the key what the scenario says, until stop is called.
func (s *Stage) Use() (stop func()) {
	if s.Scenario.Theft == TheftNone {
		return func() {}
	}
	opt := AttackerOptions{Call: s.Scenario.Issuer.Call, URL: s.ProviderURL, Secret: s.Key.Secret(),
		USDPerMinute: s.Scenario.Pace.USDPerMinute, Every: s.Scenario.Pace.Every}
	if s.Scenario.Theft == TheftHonest {
		opt.Actor = "dependent:load-test"
	}
	who := NewAttacker(nil, opt)
	s.World.Record(Entry{Service: "sandbox", Method: "THEFT", Path: s.Scenario.Theft, Actor: who.opt.Actor, Key: s.Key.ID})
	who.Start()
	return who.Stop
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

// Scripted are the people who decide in a drill without a terminal; answer is what they say when they are asked.
func Scripted(after time.Duration, answer string) []ScriptedPerson {
	var out []ScriptedPerson
	for i, u := range []string{UserAna, UserBo, UserLee} {
		out = append(out, ScriptedPerson{User: u, After: after + time.Duration(i)*after/2, Answer: answer})
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
		"github-token": s.GitHub.Token(), "github-hook": s.HookSecret, "generic-token": s.AlertToken,
	}
	maps.Copy(secrets, s.Scenario.Issuer.Secrets(s.World))
	stores := ""
	if s.shelves != nil {
		stores = s.shelves.config()
		maps.Copy(secrets, s.shelves.secrets(s.World))
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
	text := strings.NewReplacer("@stores", stores, "@provider", s.Scenario.Issuer.Provider, "@account", strings.Replace(s.Scenario.Issuer.Config, "account: demo", fmt.Sprintf("account: %q", s.Account), 1), "@watch", cmp.Or(s.Scenario.Watch, "{}")).Replace(stageConfig)
	text = strings.NewReplacer(
		"@listen", listen, "@secrets", "file://"+filepath.ToSlash(filepath.Join(dir, "secrets")), "@slack", s.SlackURL, "@github", s.GitHubURL,
		"@url", s.ProviderURL, "@channel", c.Channel, "@team", c.Team, "@app", c.App,
	).Replace(text)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return "", err
	}
	return path, os.WriteFile(filepath.Join(dir, "inventory.yaml"), []byte(s.inventory()), 0o600)
}

func (s *Stage) inventory() string {
	var b strings.Builder
	fmt.Fprintf(&b, "keys:\n  - provider: %s\n    account: %q\n    id: %q\n    owner: %q\n    critical: %t\n    dependents:\n", s.Scenario.Issuer.Provider, s.Account, s.Key.ID, s.Owner, s.Critical)
	for i, name := range apps {
		fmt.Fprintf(&b, "      - kind: github_actions_secret\n        owner: %s\n        repo: %s\n        name: %s\n", stageOwner, stageRepo, s.Scenario.Issuer.envName(name))
		fmt.Fprintf(&b, "        redeploy: {workflow: deploy.yml, ref: main}\n        check: {kind: http, url: %q}\n", s.health[i])
	}
	if s.shelves != nil {
		b.WriteString(s.shelves.inventory())
	}
	return b.String()
}
