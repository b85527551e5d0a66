package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"golang.org/x/oauth2"

	"github.com/tourniquet-ir/tourniquet/integrations/chat"
	"github.com/tourniquet-ir/tourniquet/integrations/chat/slack"
	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/gemini"
	"github.com/tourniquet-ir/tourniquet/internal/engine"
	"github.com/tourniquet-ir/tourniquet/internal/freeport"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/seal"
)

const (
	bareArg   = "bare-child"
	bareQueue = "bare"
)

// bareConfig is what the bare child is told, in a file that only its owner reads.
type bareConfig struct {
	Dir, Listen          string
	Google, Slack        string
	Token, SlackToken    string
	SlackApp, SlackSign  string
	Channel, Team, AppID string
	Postgres             string // in which the engine keeps its state; "": a file
}

// startBare runs this program again, as the bare side; its engine keeps its state in a file, or in a PostgreSQL.
func startBare(ctx context.Context, dir string, w *world, postgres string) (*side, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	listen, err := freeport.Free()
	if err != nil {
		return nil, err
	}
	c := w.slack.Credentials()
	raw, err := json.Marshal(bareConfig{Dir: filepath.Join(dir, "data"), Listen: listen, Google: w.googleURL, Slack: w.slkURL, Token: w.AdminToken(),
		SlackToken: c.Token, SlackApp: c.AppToken, SlackSign: c.SigningSecret, Channel: c.Channel, Team: c.Team, AppID: c.App, Postgres: postgres})
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, "bare.json")
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		return nil, err
	}
	s := &side{name: "bare", url: "http://" + listen, log: filepath.Join(dir, "log")}
	s.cmd = exec.Command(self, bareArg, path) //nolint:noctx // ends with stop, which lets it drain
	var count atomic.Int64
	s.send = func(ctx context.Context, key string) (*http.Request, error) {
		body := fmt.Sprintf(`{"id":"bare-%d","key":%q}`, count.Add(1), key)
		return http.NewRequestWithContext(ctx, http.MethodPost, s.url+"/start", strings.NewReader(body))
	}
	return s, s.open(ctx, "/ready")
}

// bare is the side without a house: vendors' clients and a workflow.
type bare struct {
	provider *gemini.Provider
	chat     *slack.Chat
}

// bareRun is what a bare workflow is started with.
type bareRun struct {
	ID    string    `json:"id"`
	Key   string    `json:"key"`
	Since time.Time `json:"since"`
}

func runBare(ctx context.Context, path string) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var c bareConfig
	if err := json.Unmarshal(raw, &c); err != nil {
		return err
	}
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return err
	}
	ring, err := seal.LoadOrCreate(filepath.Join(c.Dir, "keyring.json"), rand.Reader)
	if err != nil {
		return err
	}
	eng, err := engine.Start(ctx, engine.Config{DataDir: c.Dir, Postgres: c.Postgres, DataConverter: seal.DataConverter(ring), FailureConverter: seal.FailureConverter(ring)})
	if err != nil {
		return err
	}
	defer func() { _ = eng.Close() }() // nothing of a bench needs its data
	b := &bare{chat: slack.New(slack.Config{BaseURL: c.Slack + "/api/", Channel: c.Channel, Teams: []string{c.Team}, Apps: []string{c.AppID},
		Token: c.SlackToken, AppToken: c.SlackApp, SigningSecret: c.SlackSign})}
	b.provider, err = gemini.New(gemini.Config{Account: "bench", Project: project, TokenSource: oauth2.StaticTokenSource(&oauth2.Token{AccessToken: c.Token}),
		Endpoints: gemini.Endpoints{APIKeys: c.Google, ServiceUsage: c.Google, Monitoring: c.Google, Logging: c.Google, Generative: c.Google}})
	if err != nil {
		return err
	}
	w := worker.New(eng.Client(), bareQueue, engine.WorkerOptions())
	w.RegisterWorkflow(bareWorkflow)
	w.RegisterActivity(b)
	if err := w.Start(); err != nil {
		return err
	}
	defer w.Stop()
	return serveBare(ctx, c.Listen, eng.Client())
}

// serveBare answers POST /start with 202 when the engine has taken the workflow.
func serveBare(ctx context.Context, listen string, tc client.Client) error {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /ready", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("POST /start", func(rw http.ResponseWriter, r *http.Request) {
		var in bareRun
		if err := json.NewDecoder(http.MaxBytesReader(rw, r.Body, 1<<16)).Decode(&in); err != nil {
			http.Error(rw, err.Error(), http.StatusBadRequest)
			return
		}
		in.Since = time.Now().Add(-72 * time.Hour)
		_, err := tc.ExecuteWorkflow(r.Context(), client.StartWorkflowOptions{
			ID: in.ID, TaskQueue: bareQueue, EnableEagerStart: true, WorkflowTaskTimeout: 2 * time.Second,
			WorkflowIDReusePolicy: enums.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
		}, bareWorkflow, in)
		if err != nil {
			http.Error(rw, err.Error(), http.StatusServiceUnavailable)
			return
		}
		rw.WriteHeader(http.StatusAccepted)
	})
	srv := &http.Server{Addr: listen, Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	done := make(chan error, 1)
	go func() { done <- srv.ListenAndServe() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return srv.Close()
	}
}

// bareWorkflow makes the calls of the bench playbook: four local activities, and an ordinary one for the closing message.
func bareWorkflow(ctx workflow.Context, in bareRun) error {
	local := workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{
		StartToCloseTimeout: 2 * time.Second, ScheduleToCloseTimeout: 2 * time.Second, RetryPolicy: &temporal.RetryPolicy{MaximumAttempts: 1},
	})
	ordinary := workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: time.Minute, HeartbeatTimeout: 10 * time.Second})
	var b *bare
	var k incident.Key
	var summary string
	if err := workflow.ExecuteLocalActivity(local, b.Identify, in.Key).Get(ctx, &k); err != nil {
		return err
	}
	if err := workflow.ExecuteLocalActivity(local, b.Contain, k).Get(ctx, &summary); err != nil {
		return err
	}
	if err := workflow.ExecuteLocalActivity(local, b.Snapshot, k, in.Since).Get(ctx, nil); err != nil {
		return err
	}
	if err := workflow.ExecuteLocalActivity(local, b.Tell, "Your gemini key is under attack", summary).Get(ctx, nil); err != nil {
		return err
	}
	return workflow.ExecuteActivity(ordinary, b.Tell, endMark, in.ID).Get(ctx, nil)
}

// Identify finds the key by its id.
func (b *bare) Identify(ctx context.Context, id string) (incident.Key, error) {
	found, err := b.provider.Identify(ctx, incident.Clue{Provider: "gemini", ID: id}, nil)
	if err == nil && len(found) != 1 {
		err = fmt.Errorf("%d keys fit", len(found))
	}
	if err != nil {
		return incident.Key{}, err
	}
	return found[0], nil
}

// Contain reads the key's state, as anything that wants to undo later must, and stops it.
func (b *bare) Contain(ctx context.Context, k incident.Key) (string, error) {
	if _, err := b.provider.State(ctx, keys.OpContain, k); err != nil {
		return "", err
	}
	got, err := b.provider.Contain(ctx, k)
	return got.Summary, err
}

// Snapshot reads the use of the key.
func (b *bare) Snapshot(ctx context.Context, k incident.Key, since time.Time) (int64, error) {
	u, err := b.provider.Usage(ctx, k, since, time.Now())
	return u.Requests, err
}

// Tell posts a message.
func (b *bare) Tell(ctx context.Context, title, text string) error {
	_, err := b.chat.Tell(ctx, chat.Note{Title: title, Lines: []string{text}})
	return err
}
