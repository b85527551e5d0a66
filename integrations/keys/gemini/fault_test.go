package gemini_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/gemini"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
)

// requests remembers what was asked, for the check against Google's own descriptions.
type requests struct {
	next http.Handler
	mu   sync.Mutex
	list []request
}

type request struct {
	method, path string
	query        []string
}

func (s *requests) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	entry := request{method: r.Method, path: r.URL.Path}
	for name := range r.URL.Query() {
		entry.query = append(entry.query, name)
	}
	s.mu.Lock()
	s.list = append(s.list, entry)
	s.mu.Unlock()
	s.next.ServeHTTP(rw, r)
}

// everything is every call of the port that talks to Google.
func everything(ctx context.Context, h house) map[string]func() error {
	key, secret := h.key(), []byte(h.stolen.Secret())
	return map[string]func() error{
		"identify by value": func() error { _, err := h.provider.Identify(ctx, incident.Clue{}, secret); return err },
		"identify by hint": func() error {
			_, err := h.provider.Identify(ctx, incident.Clue{Hint: h.stolen.Hint()}, nil)
			return err
		},
		"state":   func() error { _, err := h.provider.State(ctx, keys.OpContain, key); return err },
		"contain": func() error { _, err := h.provider.Contain(ctx, key); return err },
		"restore": func() error {
			_, err := h.provider.Restore(ctx, key, json.RawMessage(`{"restrictions":null}`))
			return err
		},
		"revoke":  func() error { _, err := h.provider.Revoke(ctx, key); return err },
		"create":  func() error { _, err := h.provider.Create(ctx, key, "l"); return err },
		"orphans": func() error { _, err := h.provider.Orphans(ctx, key, "l"); return err },
		"check":   func() error { return h.provider.Check(ctx) },
		"usage": func() error {
			_, err := h.provider.Usage(ctx, key, time.Now().Add(-time.Hour), time.Now())
			return err
		},
		"persistence": func() error { _, _, err := h.provider.Persistence(ctx, key, time.Now()); return err },
	}
}

// noSecret fails when text holds the value of the stolen key or any twelve characters of it.
func noSecret(t *testing.T, h house, text string) {
	t.Helper()
	value := h.stolen.Secret()
	for i := 0; i+12 <= len(value); i++ {
		if strings.Contains(text, value[i:i+12]) {
			t.Fatalf("the key's value is in %q", strings.ReplaceAll(text, value, "<value>"))
		}
	}
}

func TestEveryFaultIsAnErrorThatSaysWhetherToRepeat(t *testing.T) {
	t.Parallel()
	for _, fault := range []struct {
		status    int
		permanent bool
	}{{401, true}, {403, true}, {404, true}, {409, false}, {429, false}, {500, false}, {503, false}, {sandbox.FaultGarbage, false}, {sandbox.FaultLost, false}} {
		t.Run(fmt.Sprint(fault.status), func(t *testing.T) {
			t.Parallel()
			for name := range everything(t.Context(), house{}) {
				h, ctx := build(t, ""), within(t)
				for _, service := range []string{"apikeys", "monitoring", "logging"} {
					h.world.Fault(service, fault.status, 20)
				}
				err := everything(ctx, h)[name]()
				if fault.status == http.StatusNotFound && (name == "revoke" || strings.HasPrefix(name, "identify by value")) {
					if err != nil {
						t.Errorf("%s: a missing key is no fault, got %v", name, err)
					}
					continue
				}
				if err == nil {
					t.Errorf("%s: no error", name)
					continue
				}
				noSecret(t, h, err.Error())
				if keys.IsPermanent(err) != fault.permanent {
					t.Errorf("%s: permanent is %v in %q", name, !fault.permanent, err)
				}
				if fault.status == 429 && !strings.Contains(err.Error(), "retry after 7 s") {
					t.Errorf("%s: the time to wait is not in %q", name, err)
				}
			}
		})
	}
}

func TestOneHiccupIsReadAgainButNeverWrittenAgain(t *testing.T) {
	t.Parallel()
	h, ctx := build(t, ""), within(t)
	h.world.Fault("apikeys", 500, 1)
	must[keys.State](t)(h.provider.State(ctx, keys.OpContain, h.key()))
	h.world.Fault("apikeys", 500, 1)
	if _, err := h.provider.Create(ctx, h.key(), "once"); err == nil {
		t.Fatal("the create was repeated by itself")
	}
}

func TestTheProbeIsUnknownWhenGoogleIsNotAnswering(t *testing.T) {
	t.Parallel()
	h := build(t, "")
	for _, status := range []int{401, 404, 429, 500, 503, sandbox.FaultGarbage, sandbox.FaultLost} {
		h.world.Fault("gemini", status, 5)
		got := must[keys.Probed](t)(h.provider.Probe(within(t), h.key(), []byte(h.stolen.Secret())))
		if got.State != keys.ProbeUnknown {
			t.Errorf("%d is taken for %q", status, got.State)
		}
		noSecret(t, h, got.Detail)
		for h.probeLeft(t) {
		}
	}
}

// probeLeft uses up the faults that are left.
func (h house) probeLeft(t *testing.T) bool {
	t.Helper()
	return must[keys.Probed](t)(h.provider.Probe(within(t), h.key(), []byte(h.stolen.Secret()))).State != keys.ProbeWorking
}

func TestAHangingOrUnreachableGoogleEndsWithTheContext(t *testing.T) {
	t.Parallel()
	h := build(t, "")
	h.world.Fault("apikeys", sandbox.FaultHang, 1)
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	_, err := h.provider.Identify(ctx, incident.Clue{}, []byte(h.stolen.Secret()))
	if err == nil || keys.IsPermanent(err) {
		t.Fatalf("a hanging look-up gave %v", err)
	}
	noSecret(t, h, err.Error())
	const nobody = "http://127.0.0.1:1" // a port that no test server is ever given
	away, err := gemini.New(gemini.Config{Account: "main", Project: "acme-prod", Endpoints: gemini.Endpoints{APIKeys: nobody},
		TokenSource: oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "token"})})
	if err != nil {
		t.Fatal(err)
	}
	_, err = away.Identify(within(t), incident.Clue{}, []byte(h.stolen.Secret()))
	if err == nil || keys.IsPermanent(err) {
		t.Fatalf("an unreachable Google gave %v", err)
	}
	noSecret(t, h, err.Error())
}

func TestWrongCredentialsAreSaidByCheck(t *testing.T) {
	t.Parallel()
	h := build(t, "not-the-token")
	if err := h.provider.Check(within(t)); err == nil || !keys.IsPermanent(err) || !strings.Contains(err.Error(), "401") {
		t.Fatalf("check says %v", err)
	}
	if err := build(t, "").provider.Check(within(t)); err != nil {
		t.Fatal(err)
	}
}

func TestTheDeletionNeverAsksForExistingUsage(t *testing.T) {
	t.Parallel()
	h, ctx := build(t, ""), within(t)
	h.probe(t, keys.ProbeWorking, "") // the key is in use
	must[keys.Receipt](t)(h.provider.Contain(ctx, h.key()))
	must[keys.Receipt](t)(h.provider.Revoke(ctx, h.key()))
	for _, r := range h.seen.list {
		if strings.Contains(strings.Join(r.query, " "), "checkExistingUsage") {
			t.Fatalf("%s %s asks for existing usage", r.method, r.path)
		}
	}
}

// TestEveryRequestIsInGooglesDescription compares the requests of all operations with the discovery documents.
func TestEveryRequestIsInGooglesDescription(t *testing.T) {
	t.Parallel()
	calls := described(t)
	if calls == nil {
		return
	}
	h, ctx := build(t, ""), within(t)
	for _, do := range everything(ctx, h) {
		_ = do()
	}
	for _, r := range h.seen.list {
		if strings.HasPrefix(r.path, "/v1beta/") {
			continue // the Gemini API itself is not among the descriptions
		}
		params, found := map[string]any(nil), false
		for _, call := range calls {
			if call.method == r.method && call.path.MatchString(strings.TrimPrefix(r.path, "/")) {
				params, found = call.params, true
				break
			}
		}
		if !found {
			t.Errorf("%s %s is no call of Google's", r.method, r.path)
		}
		for _, name := range r.query {
			if _, known := params[name]; !known && name != "alt" && name != "prettyPrint" {
				t.Errorf("%s %s has no parameter %q", r.method, r.path, name)
			}
		}
	}
}

type describedCall struct {
	method string
	path   *regexp.Regexp
	params map[string]any
}

type discovery struct {
	Methods map[string]struct {
		HTTPMethod, FlatPath, Path string
		Parameters                 map[string]any
	}
	Resources map[string]discovery
}

var template = regexp.MustCompile(`\{[^}]*\}`)

func (d discovery) calls(out []describedCall) []describedCall {
	for _, m := range d.Methods {
		path := m.FlatPath
		if path == "" {
			path = m.Path
		}
		pattern := template.ReplaceAllString(regexp.QuoteMeta(strings.NewReplacer("{", "<", "}", ">").Replace(path)), "")
		pattern = regexp.MustCompile(`<[^>]*>`).ReplaceAllString(pattern, `[^/:]+`)
		out = append(out, describedCall{m.HTTPMethod, regexp.MustCompile("^" + pattern + "$"), m.Parameters})
	}
	for _, r := range d.Resources {
		out = r.calls(out)
	}
	return out
}

func described(t *testing.T) []describedCall {
	t.Helper()
	dir := contracts(t)
	if dir == "" {
		return nil
	}
	var out []describedCall
	for _, name := range []string{"apikeys-v2", "serviceusage-v1", "monitoring-v3", "logging-v2", "iam-v1"} {
		var doc discovery
		if err := json.Unmarshal(must[[]byte](t)(os.ReadFile(filepath.Join(dir, "google", name+".json"))), &doc); err != nil {
			t.Fatal(err)
		}
		out = doc.calls(out)
	}
	return out
}

// contracts finds the official descriptions beside the repository, where they are checked out.
func contracts(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../../../../shared/contracts")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); err != nil {
		t.Log("the official API descriptions are not beside this repository, so nothing is compared")
		return ""
	}
	return dir
}
