package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/tourniquet-ir/tourniquet/internal/console"
	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/evidence"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/report"
	"github.com/tourniquet-ir/tourniquet/internal/report/reporttest"
	"github.com/tourniquet-ir/tourniquet/internal/seal"
)

// ran is what a command left behind.
type ran struct {
	code      int
	out, talk string
}

// command runs one as main does, without a configuration file.
func command(t *testing.T, env map[string]string, args ...string) ran {
	t.Helper()
	return typed(t, "", env, args...)
}

// typed is a command with something on its standard input.
func typed(t *testing.T, in string, env map[string]string, args ...string) ran {
	t.Helper()
	var out, talk bytes.Buffer
	if _, ok := env["TOURNIQUET_CONFIG"]; !ok {
		args = append(args, "--config", filepath.Join(t.TempDir(), "none.yaml"))
	}
	code := run(t.Context(), args, strings.NewReader(in), &out, &talk, func(name string) (string, bool) { v, ok := env[name]; return v, ok })
	return ran{code, out.String(), talk.String()}
}

// random is a secret of this test run.
func random(t *testing.T) string {
	t.Helper()
	b := make([]byte, 16)
	if _, err := rand.Read(b); err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(b)
}

// deskDouble is a desk that knows one token and writes down every act.
type deskDouble struct {
	token    string
	answer   string
	accepted bool
	code     string

	mu   sync.Mutex
	acts []console.Act
}

func (p *deskDouble) Decide(_ context.Context, a console.Act) (string, bool, string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.acts = append(p.acts, a)
	return p.answer, p.accepted, p.code
}

func (p *deskDouble) Seal(_ context.Context, person, surface, question string, value []byte) (string, bool, string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.acts = append(p.acts, console.Act{Person: person, Surface: surface, Request: question, Verb: "seal", Answer: string(value)})
	return p.answer, p.accepted, p.code
}

func (p *deskDouble) Person(_ context.Context, token string) (who incident.Person, id, refusal string) {
	if token == p.token {
		id = "tk-1"
	}
	return incident.Person{ID: "marek", Name: "Marek Nowak"}, id, ""
}

func (p *deskDouble) Still(context.Context, database.Session) (incident.Person, bool, error) {
	return incident.Person{}, false, nil // commands have no sessions
}

func (p *deskDouble) did() []console.Act {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]console.Act(nil), p.acts...)
}

// office is a running console over the records of one run, and the environment of a person who may talk to it.
type office struct {
	url    string
	env    map[string]string
	db     *database.DB
	desk   *deskDouble
	signer *seal.Signer
	dir    string // data directory
}

func opened(t *testing.T) office {
	t.Helper()
	dir := t.TempDir()
	signer, err := seal.LoadOrCreateSigner(filepath.Join(dir, "signing.json"))
	if err != nil {
		t.Fatal(err)
	}
	store, err := evidence.Open(t.Context(), "file://"+filepath.ToSlash(filepath.Join(dir, "evidence"))+"?metadata=skip&create_dir=true")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	if _, err := store.Put(t.Context(), reporttest.RunID, "usage", "usage.json", "gemini", []byte(reporttest.BlobBody), reporttest.Start()); err != nil {
		t.Fatal(err)
	}
	o := office{db: reporttest.DB(t), desk: &deskDouble{token: random(t), answer: "Counted.", accepted: true}, signer: signer, dir: dir}
	reporttest.Fill(t, o.db)
	c, err := console.New(console.Options{DB: o.db, Desk: o.desk, World: incident.WorldDrill, Report: console.Report{
		Bundle: func(ctx context.Context, a report.Access, w io.Writer) error {
			return report.Bundle(ctx, o.db, store, a, w, signer)
		},
	}})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(c.Handler())
	t.Cleanup(srv.Close)
	o.url, o.env = srv.URL, map[string]string{"TOURNIQUET_SERVER": srv.URL, "TOURNIQUET_TOKEN": o.desk.token}
	return o
}

// answering is a server that answers everything in one way.
func answering(t *testing.T, status int, body string) map[string]string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(srv.Close)
	return map[string]string{"TOURNIQUET_SERVER": srv.URL, "TOURNIQUET_TOKEN": random(t)}
}

func TestARefusalIsPrintedAsASentenceAndGivesItsExitCode(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status, code int
		kind         string
	}{
		"not authenticated":           {401, exitNoAuth, "not_authenticated"},
		"refused by policy":           {403, exitPolicy, "not_eligible"},
		"not counted":                 {409, exitPolicy, "excluded"},
		"too late":                    {409, exitWaiting, "expired"},
		"could not be checked":        {409, exitFailed, "unavailable"},
		"not what is expected":        {422, exitMisuse, "malformed"},
		"nothing there":               {404, exitFailed, "not_found"},
		"the server cannot just now":  {503, exitFailed, ""},
		"the server is somebody else": {200, exitFailed, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sentence := "Because of " + name + "."
			body, err := json.Marshal(map[string]any{"title": "T", "status": c.status, "code": c.kind, "detail": sentence})
			if err != nil {
				t.Fatal(err)
			}
			if c.status == http.StatusOK {
				body, sentence = []byte("<html>"), "did not answer as tourniquet does"
			}
			got := command(t, answering(t, c.status, string(body)), "run", "list")
			if got.code != c.code || !strings.Contains(got.talk, sentence) || got.out != "" {
				t.Errorf("exit %d, want %d; said %q, printed %q", got.code, c.code, got.talk, got.out)
			}
		})
	}
}

func TestAProblemThatSteersTerminalsIsPrintedHarmless(t *testing.T) {
	t.Parallel()
	got := command(t, answering(t, 409, `{"detail":"no \u001b[2J\u202e","code":"excluded"}`), "run", "list")
	if got.code != exitPolicy || strings.ContainsAny(got.talk, "\x1b\u202e") {
		t.Errorf("exit %d, said %q", got.code, got.talk)
	}
}

func TestNothingIsSentWithoutAToken(t *testing.T) {
	t.Parallel()
	env := answering(t, 200, "{}")
	delete(env, "TOURNIQUET_TOKEN")
	if got := command(t, env, "hold", "status"); got.code != exitNoAuth || !strings.Contains(got.talk, "TOURNIQUET_TOKEN") {
		t.Errorf("exit %d, said %q", got.code, got.talk)
	}
}

func TestATokenFileIsReadAndBeatsTheVariable(t *testing.T) {
	t.Parallel()
	o := opened(t)
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(o.desk.token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	o.env["TOURNIQUET_TOKEN"] = "of somebody else"
	if got := command(t, o.env, "run", "list", "--token-file", file); got.code != exitGood || !strings.Contains(got.out, reporttest.RunID) {
		t.Errorf("exit %d: %s%s", got.code, got.out, got.talk)
	}
}

func TestAServerThatIsNotThereIsNamed(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.NotFoundHandler())
	srv.Close()
	token := random(t)
	got := command(t, map[string]string{"TOURNIQUET_SERVER": srv.URL, "TOURNIQUET_TOKEN": token}, "run", "show", "run-1")
	if got.code != exitFailed || !strings.Contains(got.talk, srv.URL) || !strings.Contains(got.talk, "is serve running") || strings.Contains(got.talk, token) {
		t.Errorf("exit %d, said %q", got.code, got.talk)
	}
}

func TestATokenNeverLeavesForAPlaceThatNobodyChose(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"http://tourniquet.example.com", "ftp://127.0.0.1", "http://user@127.0.0.1", "127.0.0.1:8686"} {
		got := command(t, map[string]string{"TOURNIQUET_SERVER": address, "TOURNIQUET_TOKEN": random(t)}, "run", "list")
		if got.code != exitMisuse {
			t.Errorf("%s: exit %d, said %q", address, got.code, got.talk)
		}
	}
	visited := make(chan string, 1)
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { visited <- r.Header.Get("Authorization") }))
	t.Cleanup(elsewhere.Close)
	moved := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	t.Cleanup(moved.Close)
	got := command(t, map[string]string{"TOURNIQUET_SERVER": moved.URL, "TOURNIQUET_TOKEN": random(t)}, "run", "list")
	select {
	case <-visited:
		t.Error("a redirect was followed")
	default:
	}
	if got.code != exitFailed || !strings.Contains(got.talk, "elsewhere") {
		t.Errorf("exit %d, said %q", got.code, got.talk)
	}
}

func TestTheHoldIsSetWithAReasonAndRead(t *testing.T) {
	t.Parallel()
	var got map[string]any
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			_ = json.NewDecoder(r.Body).Decode(&got)
		}
		_, _ = fmt.Fprint(w, `{"on":true,"by":"priya","reason":"upgrade"}`)
	}))
	t.Cleanup(srv.Close)
	env := map[string]string{"TOURNIQUET_SERVER": srv.URL, "TOURNIQUET_TOKEN": random(t)}
	if r := command(t, env, "hold", "on"); r.code != exitMisuse || got != nil {
		t.Errorf("a hold without a reason: exit %d, sent %v", r.code, got)
	}
	r := command(t, env, "hold", "on", "--reason", "upgrade")
	if r.code != exitGood || got["on"] != true || got["reason"] != "upgrade" || !strings.HasPrefix(r.out, "on: ") || !strings.Contains(r.out, "priya: upgrade") {
		t.Errorf("exit %d, sent %v, printed %q", r.code, got, r.out)
	}
	if r := command(t, env, "hold", "status", "-o", "json"); r.code != exitGood || !json.Valid([]byte(r.out)) {
		t.Errorf("exit %d, printed %q", r.code, r.out)
	}
}
