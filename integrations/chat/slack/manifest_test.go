package slack

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	slackapi "github.com/slack-go/slack"
	"go.yaml.in/yaml/v3"
)

// readManifest decodes a manifest with slack-go's own type, strictly: a key that Slack does not know is a fault.
func readManifest(t *testing.T, url string) slackapi.Manifest {
	t.Helper()
	body, err := Manifest(url, false)
	if err != nil {
		t.Fatal(err)
	}
	dec := yaml.NewDecoder(bytes.NewReader(body))
	dec.KnownFields(true)
	var m slackapi.Manifest
	if err := dec.Decode(&m); err != nil {
		t.Fatalf("slack-go does not know this manifest: %v\n%s", err, body)
	}
	return m
}

func TestTheManifestAsksForTheScopesThatCheckWantsAndNoMore(t *testing.T) {
	t.Parallel()
	m := readManifest(t, "")
	if !slices.Equal(m.OAuthConfig.Scopes.Bot, Scopes(false)) || len(m.OAuthConfig.Scopes.User) != 0 {
		t.Errorf("scopes %v, user scopes %v", m.OAuthConfig.Scopes.Bot, m.OAuthConfig.Scopes.User)
	}
	if missing := missingScopes(strings.Join(m.OAuthConfig.Scopes.Bot, ","), Scopes(false)); len(missing) > 0 {
		t.Errorf("an app of this manifest would lack %v", missing)
	}
	if m.Settings.EventSubscriptions != nil {
		t.Error("no event moves a run, so none may be subscribed to")
	}
}

func TestTheManifestOfSocketModeNeedsNoAddress(t *testing.T) {
	t.Parallel()
	m := readManifest(t, "")
	press := m.Settings.Interactivity
	if !m.Settings.SocketModeEnabled || press == nil || !press.IsEnabled || press.RequestUrl != "" {
		t.Errorf("settings %+v", m.Settings)
	}
	if c := m.Features.SlashCommands; len(c) != 1 || c[0].Command != "/tourniquet" || c[0].Description == "" {
		t.Errorf("commands %+v", c)
	}
	if len(m.Display.Name) > 35 || len(m.Display.Description) > 140 || len(m.Features.BotUser.DisplayName) > 80 {
		t.Errorf("a name is longer than Slack takes: %+v %+v", m.Display, m.Features.BotUser)
	}
}

func TestTheManifestOfTheHTTPDoorNamesItsPaths(t *testing.T) {
	t.Parallel()
	m := readManifest(t, "https://tourniquet.example.com/")
	const base = "https://tourniquet.example.com/v1/slack"
	if m.Settings.SocketModeEnabled || m.Settings.Interactivity.RequestUrl != base+"/interactions" {
		t.Errorf("settings %+v", m.Settings)
	}
	if c := m.Features.SlashCommands; len(c) != 1 || c[0].Url != base+"/commands" {
		t.Errorf("commands %+v", c)
	}
	if _, err := Manifest("http://tourniquet.example.com", false); err == nil || !strings.Contains(err.Error(), "https") {
		t.Errorf("a plain address was taken: %v", err)
	}
}
