package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tourniquet-ir/tourniquet/internal/config"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// fullInit answers every question that init has.
func fullInit(dir string) []string {
	return []string{
		"init", "--dir", dir, "--person", "ana:Ana: Zoë & \"Co\"", "--person", "bo:Bo:U0BO", "--person", "kim:Kim:U0KIM", "--person", "lee:Lee:U0LEE",
		"--lead", "lee", "--slack-channel", "C1", "--slack-team", "T1", "--slack-app", "A1", "--slack-url", "http://127.0.0.1:9/api/",
		"--github-owner", "acme", "--github-repo", "incidents", "--github-url", "http://127.0.0.1:9/", "--gemini-project", "acme-prod",
		"--google-endpoint", "http://127.0.0.1:9", "--openai-account", "main", "--openai-project", "proj_1", "--openai-url", "http://127.0.0.1:9/v1",
	}
}

func TestInitWritesWhatLoadsInModeObserveAndHoldsNoSecret(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "new")
	r := command(t, nil, append(fullInit(dir), "-o", "json")...)
	if r.code != exitGood {
		t.Fatalf("exit %d: %s", r.code, r.talk)
	}
	c, err := config.Load(filepath.Join(dir, "tourniquet.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if c.Mode != incident.ModeObserve || c.Slack.Channel != "C1" || !c.Slack.SocketMode || c.GitHub.Tickets.Repo != "incidents" ||
		c.Providers.Gemini[0].Endpoints["logging"] == "" || c.Providers.OpenAI[0].Project != "proj_1" || c.People[0].Slack != ` Zoë & "Co"` {
		t.Errorf("not what was answered: %+v", c)
	}
	if len(c.Groups["secops"].People) != 4 || c.Groups["secops_lead"].People[0] != "lee" {
		t.Errorf("groups %+v", c.Groups)
	}
	if _, err := inventoryOf(settings{Config: c}); err != nil {
		t.Errorf("the inventory does not load: %v", err)
	}
	if _, err := library(settings{Config: c}); err != nil {
		t.Errorf("the shipped playbooks do not fit the groups: %v", err)
	}
	var told plan
	if err := json.Unmarshal([]byte(r.out), &told); err != nil || len(told.Files) != 3 {
		t.Fatalf("%v: %s", err, r.out)
	}
	for _, v := range valuesOf(c) {
		if v.Secret && !strings.Contains(r.out, strings.TrimPrefix(v.Value, "env://")) {
			t.Errorf("nobody is told to set %s", v.Value)
		}
	}
	for _, f := range told.Files {
		if info, err := os.Stat(f.Path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", f.Path, info, err)
		}
	}
}

func TestWhatInitWroteIsGoodForModeEnforceWhenPeopleAreEnough(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if r := command(t, nil, fullInit(dir)...); r.code != exitGood || strings.Contains(r.out, "enforce refuses") {
		t.Fatalf("exit %d: %s%s", r.code, r.out, r.talk)
	}
	path := filepath.Join(dir, "tourniquet.yaml")
	body, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := config.Parse([]byte(strings.Replace(string(body), "mode: observe", "mode: enforce", 1))); err != nil {
		t.Error(err)
	}
	r := command(t, nil, "init", "--dir", t.TempDir(), "--person", "ana:Ana", "--person", "bo:Bo")
	if r.code != exitGood || !strings.Contains(r.out, "has 2 people") {
		t.Errorf("nobody is told that two people are too few: %s", r.out)
	}
}

func TestInitReplacesNothingUnlessForced(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	kept := filepath.Join(dir, "inventory.yaml")
	if err := os.WriteFile(kept, []byte("keys: [] # mine\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := command(t, nil, fullInit(dir)...)
	if r.code != exitMisuse || !strings.Contains(r.talk, "--force") || !strings.Contains(r.talk, "inventory.yaml") {
		t.Errorf("exit %d: %s", r.code, r.talk)
	}
	if _, err := os.Stat(filepath.Join(dir, "tourniquet.yaml")); err == nil {
		t.Error("half of the files were written")
	}
	if r := command(t, nil, append(fullInit(dir), "--force")...); r.code != exitGood {
		t.Errorf("exit %d: %s", r.code, r.talk)
	}
	if body, _ := os.ReadFile(kept); strings.Contains(string(body), "mine") {
		t.Error("--force replaced nothing")
	}
}

func TestInitRefusesHalfAnAnswer(t *testing.T) {
	t.Parallel()
	for want, args := range map[string][]string{
		"say who decides":             nil,
		"--person takes":              {"--person", "ana"},
		"belongs to both":             {"--person", "ana:Ana:U1", "--person", "bo:Bo:U1"},
		"--lead":                      {"--person", "ana:Ana", "--lead", "bo"},
		"Slack needs all of":          {"--person", "ana:Ana", "--slack-channel", "C1"},
		"GitHub needs both":           {"--person", "ana:Ana", "--github-owner", "acme"},
		"OpenAI needs both":           {"--person", "ana:Ana", "--openai-account", "main"},
		"--slack-http needs":          {"--person", "ana:Ana", "--slack-http"},
		"server.listen":               {"--person", "ana:Ana", "--listen", "nowhere"},
		"https addresses only":        {"--person", "ana:Ana", "--slack-http", "--url", "http://x.example"},
		"server.url: \"x\" is not an": {"--person", "ana:Ana", "--url", "x"},
	} {
		dir := t.TempDir()
		r := command(t, nil, append([]string{"init", "--dir", dir}, args...)...)
		if r.code != exitMisuse || !strings.Contains(r.talk, want) {
			t.Errorf("%q: exit %d: %s", want, r.code, r.talk)
		}
		if left, _ := os.ReadDir(dir); len(left) > 0 {
			t.Errorf("%q: files were written", want)
		}
	}
}
