package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tourniquet-ir/tourniquet/activities"
)

const (
	contracts = "../../../shared/contracts"
	docsPage  = "../../docs/conformance.md"
)

// recorded drives every client once.
func recorded(t *testing.T) []exchange {
	t.Helper()
	list, err := record(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(list) < 300 {
		t.Fatalf("only %d calls were recorded", len(list))
	}
	return list
}

func TestEveryCallIsDescribedAndOnThePage(t *testing.T) {
	t.Parallel()
	known, there, err := descriptions(contracts)
	if err != nil {
		t.Fatal(err)
	}
	list := recorded(t)
	got := judge(list, known)
	if err := got.verdict(there); err != nil {
		t.Error(err)
	}
	page, err := os.ReadFile(docsPage)
	if err != nil {
		t.Fatal(err)
	}
	for _, fault := range unwritten(list, got, string(page)) {
		t.Error(fault)
	}
	if !there {
		t.Logf("the official descriptions are not beside this repository: %d calls were compared with client libraries and with %s", got.requests, docsPage)
		return
	}
	if got.page() != string(page) {
		t.Errorf("%s is not what the clients do now: run make conformance", docsPage)
	}
}

func TestEveryActionThatReachesOutsideIsDriven(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, x := range recorded(t) {
		action, _, _ := strings.Cut(x.action, " (")
		seen[action] = true
	}
	seen["incident.report"] = true // it stays in the house
	for _, a := range activities.All() {
		if !seen[a.Card.Name] {
			t.Errorf("no client is driven for %s", a.Card.Name)
		}
	}
}

func TestEveryClientOfTheHouseIsDriven(t *testing.T) {
	t.Parallel()
	const rooms = "../../integrations"
	clients := map[string]string{
		"keys/anthropic": "anthropic", "keys/azureopenai": "azure_openai", "keys/bedrock": "bedrock", "keys/gemini": "gemini", "keys/litellm": "litellm", "keys/openai": "openai",
		"keys/openrouter": "openrouter", "secretstores/aws": "aws secrets", "secretstores/gcp": "google secrets", "secretstores/vault": "vault", "secretstores/kubernetes": "kubernetes",
		"secretstores/github": "github", "tickets/github": "github", "chat/slack": "slack", "paging/pagerduty": "pagerduty", "webhooks/standard": "webhook",
	}
	without := map[string]string{"keys/rest": "carries the calls of others", "keys/tape": "carries the calls of others", "keys/hashed": "is what two clients share", "keys/keytest": "for tests", "secretstores/storetest": "for tests", "mail/smtp": "speaks SMTP, not HTTP"}
	for _, ports := range []string{"keys", "secretstores", "tickets", "chat", "paging", "mail", "webhooks"} {
		found, err := filepath.Glob(filepath.Join(rooms, ports, "*", "doc.go"))
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: %v", ports, err)
		}
		for _, f := range found {
			room := ports + "/" + filepath.Base(filepath.Dir(f))
			if _, driven := drives()[clients[room]]; !driven && without[room] == "" {
				t.Errorf("the client %s is not driven", room)
			}
		}
	}
}

func TestWithoutTheFolderThePageIsTheDescription(t *testing.T) {
	t.Parallel()
	known, there, err := descriptions(filepath.Join(t.TempDir(), "nothing"))
	if err != nil || there {
		t.Fatalf("descriptions that are not there: %v, %v", there, err)
	}
	list := recorded(t)
	got := judge(list, known)
	page, err := os.ReadFile(docsPage)
	if err != nil {
		t.Fatal(err)
	}
	if faults := append(got.faults, unwritten(list, got, string(page))...); len(faults) > 0 {
		t.Errorf("%s", strings.Join(faults, "\n"))
	}
	for name, change := range map[string]string{
		"a call that is not on the page": strings.Replace(string(page), "| openai | key.contain | `POST", "| openai | key.contain | `PUT", 1),
		"a call that nobody makes":       string(page) + "| openai | key.contain | `GET /v1/made_up` | nobody |\n",
	} {
		if change == string(page) || len(unwritten(list, got, change)) == 0 {
			t.Errorf("%s was not noticed", name)
		}
	}
}
