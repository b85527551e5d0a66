package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
)

// readWorld reads a world log that another process writes.
func readWorld(t *testing.T, path string) (log []sandbox.Entry) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var e sandbox.Entry
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		log = append(log, e)
	}
	return log
}

// finals are the calls that cannot be taken back and that the world obeyed.
func finals(log []sandbox.Entry) (out []sandbox.Entry) {
	for _, e := range log {
		if e.Effect == sandbox.EffectFinal && e.Status < 400 {
			out = append(out, e)
		}
	}
	return out
}

// rightly wants the three final calls of the scenario exactly once each, and none before two people had approved one
// request: the calls of a request lie between its quorum and the next one's.
func rightly(t *testing.T, log []sandbox.Entry, replace, revoke string) {
	t.Helper()
	count := map[string]int{}
	for _, e := range finals(log) {
		count[e.Method+" "+e.Path[strings.LastIndex(e.Path, "/")+1:]]++
		request := replace
		if e.Method == "DELETE" {
			request = revoke
		}
		if who := approvers(log, request, e); len(who) < 2 {
			t.Errorf("%s %s was made when %v had approved %s; two people are wanted", e.Method, e.Path, who, request)
		}
	}
	stolen := ""
	for _, e := range log {
		if strings.HasSuffix(e.Path, "keys:lookupKey") {
			stolen = e.Key
		}
	}
	want := map[string]int{"PUT SHOP_GEMINI_KEY": 1, "PUT CHAT_GEMINI_KEY": 1, "DELETE " + stolen: 1}
	if !maps.Equal(count, want) {
		t.Errorf("final calls: %v, wanted %v", count, want)
	}
}

// approvers are the distinct people whose press on approve for the request the world saw before a call.
func approvers(log []sandbox.Entry, request string, before sandbox.Entry) (who []string) {
	for _, e := range log {
		if e.Effect == sandbox.EffectPress && e.Path == request+"/approve" && e.T.Before(before.T) && !slices.Contains(who, e.Actor) {
			who = append(who, e.Actor)
		}
	}
	return who
}

// told is the world log in one line per request, for a test that failed.
func told(log []sandbox.Entry) string {
	var b strings.Builder
	for _, e := range log {
		if e.Effect != sandbox.EffectObserve {
			_, _ = fmt.Fprintf(&b, "%s %-8s %-6s %3d %s %s\n", e.T.Format("15:04:05.000"), e.Effect, e.Method, e.Status, e.Path, e.Actor)
		}
	}
	return b.String()
}
