package main

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestWhatAnEndedRunLeftInForceIsTakenBackNewestFirst(t *testing.T) {
	t.Parallel()
	const key = `"key": {"provider": "gemini", "account": "main", "id": "k1"}`
	contain := `{"step": "contain", "action": "key.restore", "target": "gemini:main:k1 (AIza…)"}`
	sessions := `{"step": "sessions", "action": "sessions.restore", "target": "gemini:main:k1 (AIza…)"}`
	fresh := `{"step": "fresh", "action": "key.discard", "target": "gemini:main:k2 (AIza…)"}`
	for name, c := range map[string]struct{ told, playbook, rest, fault string }{
		"a containment":         {`{"run": {"state": "done", ` + key + `}, "in_force": [` + contain + `]}`, "give-back", "", ""},
		"sessions came after":   {`{"run": {"state": "done", ` + key + `}, "in_force": [` + contain + `, ` + sessions + `]}`, "give-back-sessions", "contain on", ""},
		"a new key stays":       {`{"run": {"state": "done", ` + key + `}, "in_force": [` + contain + `, ` + fresh + `]}`, "give-back", "fresh on", ""},
		"only a new key":        {`{"run": {"state": "done", ` + key + `}, "in_force": [` + fresh + `]}`, "", "", "no playbook takes this back"},
		"nothing is in force":   {`{"run": {"state": "done", ` + key + `}, "in_force": []}`, "", "", "nothing of run"},
		"the run goes on":       {`{"run": {"state": "running", ` + key + `}, "in_force": [` + contain + `]}`, "", "", "has not ended"},
		"a run without its key": {`{"run": {"state": "done"}, "in_force": [` + contain + `]}`, "", "", "was about no key"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var l leftInForce
			if err := json.Unmarshal([]byte(c.told), &l); err != nil {
				t.Fatal(err)
			}
			playbook, rest, err := l.next()
			if c.fault != "" {
				if err == nil || !strings.Contains(err.Error(), c.fault) {
					t.Errorf("%v, want %q", err, c.fault)
				}
				return
			}
			if err != nil || playbook != c.playbook || !strings.Contains(strings.Join(rest, ";"), c.rest) {
				t.Errorf("%q, %q, %v", playbook, rest, err)
			}
		})
	}
}
