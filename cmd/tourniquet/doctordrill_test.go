package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tourniquet-ir/tourniquet/internal/config"
	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
)

// The operator's world here is a sandbox, too, and its log shows what reached it: readings of doctor, and nothing of the rehearsal,
// which has a sandbox of its own.
func TestASelfDrillSaysWhatTheOperatorsOwnSetUpWouldDoAndTouchesNothingReal(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	path, stage := staged(t)
	spoil(t, path, "{ id: kim, name: Kim, slack: U0KIM }", "{ id: kim, name: Kim, slack: U0KIM }\n  - { id: noor, name: Noor, slack: U0NOOR }")
	spoil(t, path, "secops: { slack_usergroup: S0SECOPS }", "secops: { people: [noor, bo, ana, lee] }")
	r, found := examined(t, path, nil, "--drill")
	f := found["drill gemini"]
	if r.code != exitGood || f.Status != foundOK {
		t.Fatalf("exit %d: %+v\n%s", r.code, f, r.out)
	}
	for _, want := range []string{`gemini-leak, playbook "llmjacking"`, `2 of group "secops"`, "the key is contained", "people who answer at once"} {
		if !strings.Contains(f.Detail, want) {
			t.Errorf("the rehearsal does not say %q: %s", want, f.Detail)
		}
	}
	for _, entry := range stage.World.Entries() {
		if entry.Effect != "" && entry.Effect != "observe" && entry.Effect != sandbox.EffectLeak {
			t.Errorf("the operator's own world saw %+v", entry)
		}
	}
	if got := stage.Slack.Messages(); len(got) > 0 {
		t.Errorf("the operator's own Slack got %d messages", len(got))
	}
	left, err := os.ReadDir(temp)
	if err != nil || len(left) > 0 {
		t.Errorf("the rehearsal left %v behind (%v)", left, err)
	}
}

func TestASelfDrillFindsWhatKeepsTheKeyFromBeingContained(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		want, mend string
		status     string
		harm       func(t *testing.T, path string)
	}{
		"a source that is only told": {"contained only after people signed", "auto_if", foundNote, func(t *testing.T, p string) {
			spoil(t, p, "github: { trust: act", "github: { trust: tell")
		}},
		"playbooks that wait for something else": {"no playbook took the alert", "trigger", foundFault, func(t *testing.T, p string) {
			dir := filepath.Join(filepath.Dir(p), "own")
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			write(t, filepath.Join(dir, "quiet.yaml"), "schema: tourniquet/v1\nid: quiet\ntitle: Only the watch\nowner: secops\ntrigger:\n  if: alert.kind == \"watch.blind\"\nsteps:\n"+
				"  - id: open\n    uses: incident.open\n    with: { title: The watch is blind }\n")
			spoil(t, p, "inventory:", "playbooks: { dir: own }\ninventory:")
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path, _ := staged(t)
			c.harm(t, path)
			r, found := examined(t, path, nil, "--drill", "--drill-limit", "1m")
			f := found["drill gemini"]
			if f.Status != c.status || !strings.Contains(f.Detail, c.want) || !strings.Contains(f.Mend, c.mend) {
				t.Errorf("exit %d: %+v\n%s", r.code, f, r.out)
			}
			if (r.code == exitFailed) != (c.status == foundFault) {
				t.Errorf("exit %d with %+v", r.code, f)
			}
		})
	}
}

func TestASelfDrillIsNotBegunWhereAnAddressLeadsAway(t *testing.T) {
	t.Parallel()
	path, _ := staged(t)
	for name, harm := range map[string]func(*config.Config){
		"a provider": func(c *config.Config) { c.Providers.Gemini[0].Endpoints["iam"] = "https://iam.googleapis.com" },
		"chat":       func(c *config.Config) { c.Slack.BaseURL = "https://slack.com/api/" },
		"a secret":   func(c *config.Config) { c.GitHub.Token = "env://GITHUB_TOKEN" },
		"a webhook": func(c *config.Config) {
			c.Notify.Webhooks = []config.Webhook{{Name: "soar", URL: "https://192.0.2.7/x"}}
		},
		"an engine":     func(c *config.Config) { c.Temporal.Mode = "external" },
		"records":       func(c *config.Config) { c.Database.Driver = "postgres" },
		"evidence":      func(c *config.Config) { c.Evidence.URL = "file:///var/lib/evidence" },
		"a secret host": func(c *config.Config) { c.Slack.Token = "file://host/share" },
	} {
		c, err := config.Load(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := staysHere(c); err != nil {
			t.Fatalf("the stage's own configuration is refused: %v", err)
		}
		harm(c)
		if err := staysHere(c); err == nil || !strings.Contains(err.Error(), "not begun") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
