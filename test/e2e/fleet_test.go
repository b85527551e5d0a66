package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/database/pgtest"
	"github.com/tourniquet-ir/tourniquet/test/rig/front"
)

// fleet is several processes of the product on one PostgreSQL and one Temporal server, behind one address.
type fleet struct {
	*product
	front *front.Front
	env   []string

	mu       sync.Mutex
	apis     map[string]*process
	replaced atomic.Int64
}

// openFleet starts the databases, the workflow engine, the sandbox world and the front; no process of the product yet.
func openFleet(t *testing.T, program string) (*fleet, page, int, string, string) {
	t.Helper()
	pg, err := pgtest.Start(t.Context(), "max_connections=300")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := pg.Stop(); err != nil {
			t.Error(err)
		}
	})
	records, err := pg.Database(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	f := &fleet{product: &product{program: program, dir: t.TempDir()}, apis: map[string]*process{}}
	f.env = []string{"FLEET_DATABASE=" + records, "FLEET_ENGINE=" + pg.URL("engine")}
	f.front = openFront(t)
	f.url = "http://" + f.front.Address
	engine := freeAddress(t)
	_, port, _ := net.SplitHostPort(engine)
	temporal := launch(t, program, f.env, "temporal", "serve", "--data-dir", filepath.Join(f.dir, "temporal"), "--database-url", "env://FLEET_ENGINE", "--port", port)
	log := filepath.Join(f.dir, "world.jsonl")
	world := launch(t, program, nil, "sandbox", "--dir", f.dir, "--serve-at", f.front.Address, "--world-log", log, "-o", "json")
	var stage struct {
		GitHub, Slack string
		Alert         int
	}
	eventually(t, time.Minute, func() error {
		if !strings.Contains(temporal.err.String(), "temporal is ready") {
			return errors.New("the workflow engine is not ready")
		}
		if err := json.Unmarshal([]byte(world.out.String()), &stage); err != nil {
			return fmt.Errorf("the sandbox does not say where it is: %w", err)
		}
		return nil
	})
	f.configure(t, "api-1", freeAddress(t), engine)
	f.configure(t, "api-2", freeAddress(t), engine)
	f.configure(t, "worker", freeAddress(t), engine)
	f.run(t, "api-1", "encryption", "init")
	write(t, filepath.Join(f.dir, "worker", "public.json"), f.run(t, "api-1", "encryption", "public"))
	f.run(t, "api-1", "temporal", "namespace")
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(told(readWorld(t, log)))
		}
	})
	return f, page{stage.Slack}, stage.Alert, stage.GitHub, log
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// configure derives the configuration of one process from that of the sandbox.
func (f *fleet) configure(t *testing.T, name, listen, engine string) {
	t.Helper()
	raw, err := os.ReadFile(f.config())
	if err != nil {
		t.Fatal(err)
	}
	keys := "signing_key: keys/signing.json"
	if name == "worker" {
		keys = "public_keys: worker/public.json"
	}
	text := strings.Replace(string(raw), `server: { listen: "`+f.front.Address+`", data_dir: data }`, fmt.Sprintf(`server: { listen: %q, data_dir: %s, url: %q, drain: 1s }
temporal: { mode: external, address: %q }
database: { driver: postgres, url: env://FLEET_DATABASE }
evidence: { url: "file://%s?metadata=skip&create_dir=true" }
encryption: { key_ring: keys/keyring.json, %s }`, listen, name, f.url, engine, filepath.Join(f.dir, "evidence"), keys), 1)
	if text == string(raw) {
		t.Fatal("the sandbox writes another configuration: the test must follow it")
	}
	for _, dir := range []string{"keys", name} {
		if err := os.MkdirAll(filepath.Join(f.dir, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join(f.dir, name+".yaml"), text)
	if strings.HasPrefix(name, "api") {
		f.front.Add(listen)
	}
}

// run runs one command to its end.
func (f *fleet) run(t *testing.T, name string, args ...string) string {
	t.Helper()
	p := launch(t, f.program, f.env, append([]string{"--config", filepath.Join(f.dir, name+".yaml")}, args...)...)
	p.wait(t, 30*time.Second)
	if p.failure != nil {
		t.Fatalf("tourniquet %s: %v\n%s", strings.Join(args, " "), p.failure, p.err)
	}
	return p.out.String()
}

// up starts one process of the product and waits for its word.
func (f *fleet) up(t *testing.T, name string) *process {
	t.Helper()
	role, _, _ := strings.Cut(name, "-")
	p := launch(t, f.program, f.env, "serve", "--config", filepath.Join(f.dir, name+".yaml"), "--role", role)
	eventually(t, 40*time.Second, func() error {
		if p.ended() {
			return fmt.Errorf("%s ended: %w", name, p.failure)
		}
		if !strings.Contains(p.err.String(), "tourniquet is ready") {
			return fmt.Errorf("%s does not say that it is ready", name)
		}
		return nil
	})
	f.mu.Lock()
	defer f.mu.Unlock()
	if role == "api" {
		f.apis[name] = p
	}
	return p
}

// roll replaces one API process after the other until stop is closed.
func (f *fleet) roll(t *testing.T, stop <-chan struct{}) {
	t.Helper()
	for {
		for _, name := range []string{"api-1", "api-2"} {
			select {
			case <-stop:
				return
			default:
			}
			f.mu.Lock()
			old := f.apis[name]
			f.mu.Unlock()
			old.end(t)
			f.up(t, name)
			f.replaced.Add(1)
		}
	}
}

func TestThreeProcessesAreReplacedWhilePeoplePressAndNoPressIsLost(t *testing.T) {
	t.Parallel()
	program := built(t, shop.honest)
	turn(t)
	f, slack, alert, github, log := openFleet(t, program)
	f.up(t, "api-1")
	f.up(t, "api-2")
	f.up(t, "worker")
	f.token = strings.TrimSpace(f.run(t, "api-1", "person", "token", "--for", "ana", "--issued-by", "lee"))

	stop := make(chan struct{})
	var rolling sync.WaitGroup
	rolling.Go(func() { f.roll(t, stop) })
	stopRolling := sync.OnceFunc(func() { close(stop); rolling.Wait() })
	defer stopRolling()

	f.webhook(t, github, alert)
	slack.answer(t, ana, "abuse")
	replace := slack.open(t)
	presses := f.flood(t, replace)
	slack.approve(t, ana, replace)
	slack.approve(t, lee, replace)
	slack.approve(t, bo, replace)
	revoke := slack.open(t, replace)
	slack.approve(t, ana, revoke)
	slack.approve(t, bo, revoke)
	f.finished(t, 90*time.Second)
	stopRolling()

	rightly(t, readWorld(t, log), replace, revoke)
	if n := f.attempts(t, replace); n < presses+3 {
		t.Errorf("%d presses were answered, %d attempts are in the records", presses+3, n)
	}
	if n := f.front.Failed.Load(); n > 0 {
		t.Errorf("%d requests were answered by nobody", n)
	}
	t.Logf("%d API processes replaced, %d presses besides the approvals, every one of them recorded", f.replaced.Load(), presses)
	f.oneSession(t)
	f.cannotSign(t)
}

// flood decides without the check code, eight at once, until ten more processes were replaced: each try is refused, and counted.
func (f *fleet) flood(t *testing.T, request string) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	begun := f.replaced.Load()
	var all sync.WaitGroup
	var answered atomic.Int64
	for range 8 {
		all.Go(func() {
			for f.replaced.Load() < begun+10 {
				status, err := f.decide(ctx, request)
				if err != nil || status != http.StatusConflict {
					t.Errorf("a decision for other calls was answered %d, %v", status, err)
					return
				}
				answered.Add(1)
			}
		})
	}
	all.Wait()
	return int(answered.Load())
}

// decide tries to approve without the check code, through the front, and says how it was answered.
func (f *fleet) decide(ctx context.Context, request string) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, f.url+"/v1/signoffs/"+request+"/decisions", strings.NewReader(`{"verb":"approve","code":"WRONG"}`))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", "Bearer "+f.token)
	req.Header.Set("Content-Type", "application/json")
	res, err := client().Do(req)
	if err != nil {
		return 0, err
	}
	return res.StatusCode, res.Body.Close()
}

// attempts counts what is recorded of a request.
func (f *fleet) attempts(t *testing.T, request string) int {
	t.Helper()
	var v struct {
		Attempts []struct{ Person string } `json:"attempts"`
	}
	f.read(t, "/v1/signoffs/"+request, &v)
	return len(v.Attempts)
}

// cannotSign checks that nothing of a worker's folder or configuration lets it open the doors that sign.
func (f *fleet) cannotSign(t *testing.T) {
	t.Helper()
	seed, err := os.ReadFile(filepath.Join(f.dir, "keys", "signing.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Seed string }
	if err := json.Unmarshal(seed, &file); err != nil || file.Seed == "" {
		t.Fatalf("the signing key is not where the test looks: %v", err)
	}
	err = filepath.WalkDir(filepath.Join(f.dir, "worker"), func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := os.ReadFile(path)
		if err == nil && strings.Contains(string(body), file.Seed) {
			t.Errorf("the worker's file %s holds the signing key", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	p := launch(t, f.program, f.env, "serve", "--config", filepath.Join(f.dir, "worker.yaml"), "--role", "api")
	p.wait(t, 30*time.Second)
	if p.failure == nil || !strings.Contains(p.err.String(), "signing key") {
		t.Errorf("with a worker's configuration the doors opened: %s", p.err)
	}
}
