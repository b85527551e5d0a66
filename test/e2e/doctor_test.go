package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
)

// Whatever a process sends to another machine than this one, its clients hand to the proxy of its environment. Here that is a trap. The
// operator's world is a sandbox, whose log shows what reached it.
func TestASelfDrillSendsNothingToAnywhereAndLeavesNothing(t *testing.T) {
	t.Parallel()
	var trapped atomic.Int64
	trap := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		trapped.Add(1)
		t.Errorf("it asked for %s %s", r.Method, r.Host)
		w.WriteHeader(http.StatusBadGateway)
	}))
	t.Cleanup(trap.Close)
	for _, scenario := range []string{"gemini-leak", "bedrock-access-key"} {
		t.Run(scenario, func(t *testing.T) {
			t.Parallel()
			sc, _ := sandbox.ScenarioNamed(scenario)
			operators, err := sc.Stage(sandbox.Options{Log: io.Discard})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(operators.Close)
			temp := t.TempDir()
			config, err := operators.Write(t.TempDir(), freeAddress(t))
			if err != nil {
				t.Fatal(err)
			}
			program := built(t, shop.honest)
			turn(t)
			p := launch(t, program, []string{
				"HTTP_PROXY=" + trap.URL, "HTTPS_PROXY=" + trap.URL, "ALL_PROXY=" + trap.URL, "NO_PROXY=", "TMPDIR=" + temp, "AWS_EC2_METADATA_DISABLED=",
			}, "--config", config, "doctor", "--drill", "-o", "json")
			p.wait(t, 110*time.Second)
			var said []struct{ Check, Status, Detail string }
			if err := json.Unmarshal([]byte(p.out.String()), &said); err != nil || p.failure != nil {
				t.Fatalf("%v, %v: %s", err, p.failure, p.out)
			}
			rehearsed := false
			for _, f := range said {
				rehearsed = rehearsed || strings.HasPrefix(f.Check, "drill ") && strings.Contains(f.Detail, "the key is contained")
			}
			if !rehearsed {
				t.Errorf("nothing was rehearsed: %s", p.out)
			}
			for _, e := range operators.World.Entries() {
				if e.Effect == sandbox.EffectUndoable || e.Effect == sandbox.EffectFinal || e.Effect == sandbox.EffectAbuse {
					t.Errorf("the operator's own world saw %+v", e)
				}
			}
			if left, err := filepath.Glob(filepath.Join(temp, "*")); err != nil || len(left) > 0 {
				t.Errorf("it left %v behind (%v)", left, err)
			}
		})
	}
	t.Cleanup(func() {
		if trapped.Load() > 0 {
			t.Errorf("%d requests would have left this machine", trapped.Load())
		}
	})
}

// The trap of the test above does catch what is sent elsewhere.
func TestTheTrapForWhatIsSentElsewhereCatchesIt(t *testing.T) {
	t.Parallel()
	var caught atomic.Int64
	trap := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		caught.Add(1)
		w.WriteHeader(http.StatusBadGateway)
	}))
	t.Cleanup(trap.Close)
	operators, err := sandbox.NewStage(sandbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(operators.Close)
	config, err := operators.Write(t.TempDir(), freeAddress(t))
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(config)
	if err == nil {
		err = os.WriteFile(config, []byte(strings.ReplaceAll(string(text), operators.GitHubURL, "http://github.invalid")), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	program := built(t, shop.honest)
	turn(t)
	p := launch(t, program, []string{"HTTP_PROXY=" + trap.URL, "NO_PROXY="}, "--config", config, "doctor")
	p.wait(t, 110*time.Second)
	if caught.Load() == 0 || p.failure == nil {
		t.Errorf("caught %d requests, doctor ended with %v:\n%s", caught.Load(), p.failure, p.out)
	}
}
