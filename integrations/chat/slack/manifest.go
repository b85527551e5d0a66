package slack

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// manifest is the part of Slack's app manifest that we use. slack-go's own type writes empty fields that Slack refuses.
type manifest struct {
	Display struct {
		Name        string `yaml:"name"`
		Description string `yaml:"description"`
		Color       string `yaml:"background_color"`
	} `yaml:"display_information"`
	Features struct {
		Bot struct {
			Name   string `yaml:"display_name"`
			Always bool   `yaml:"always_online"`
		} `yaml:"bot_user"`
		Commands []manifestCommand `yaml:"slash_commands"`
	} `yaml:"features"`
	OAuth struct {
		Scopes struct {
			Bot []string `yaml:"bot"`
		} `yaml:"scopes"`
	} `yaml:"oauth_config"`
	Settings struct {
		Interactivity manifestPress `yaml:"interactivity"`
		Org           bool          `yaml:"org_deploy_enabled"`
		Socket        bool          `yaml:"socket_mode_enabled"`
		Rotation      bool          `yaml:"token_rotation_enabled"`
	} `yaml:"settings"`
}

type manifestCommand struct {
	Command string `yaml:"command"`
	URL     string `yaml:"url,omitempty"`
	What    string `yaml:"description"`
	Hint    string `yaml:"usage_hint"`
	Escape  bool   `yaml:"should_escape"`
}

type manifestPress struct {
	Enabled bool   `yaml:"is_enabled"`
	URL     string `yaml:"request_url,omitempty"`
}

// Manifest is the app that an operator makes from it: the least scopes, one command, presses, and no events. url is where
// Slack reaches us, as https://tourniquet.example.com; without it the app uses Socket Mode and no port is open. rooms is
// for installations that give every incident a channel of its own.
func Manifest(url string, rooms bool) ([]byte, error) {
	m := manifest{}
	m.Display.Name, m.Display.Color = "Tourniquet", "#7a1022"
	m.Display.Description = "Asks people to sign what contains a stolen AI API key"
	m.Features.Bot.Name = "tourniquet"
	command := manifestCommand{Command: "/tourniquet", What: "Open sign-offs, and the hold on automatic actions", Hint: "status | list | show ID | hold on REASON | help"}
	m.OAuth.Scopes.Bot = Scopes(rooms)
	m.Settings.Interactivity.Enabled = true
	m.Settings.Socket = url == ""
	head := "# Paste this at https://api.slack.com/apps: Create New App, From a manifest. Then install it to the workspace, invite it\n" +
		"# to the responders' channel, and keep its tokens where tourniquet.yaml refers to them.\n"
	if url == "" {
		head += "# Socket Mode also needs an app-level token (xapp-) with the scope connections:write.\n"
	} else {
		if !strings.HasPrefix(url, "https://") {
			return nil, fmt.Errorf("Slack sends presses to https addresses only, not to %q; use Socket Mode where there is none", url)
		}
		base := strings.TrimSuffix(url, "/") + "/v1/slack"
		m.Settings.Interactivity.URL, command.URL = base+"/interactions", base+"/commands"
	}
	m.Features.Commands = []manifestCommand{command}
	body, err := yaml.Marshal(m)
	return append([]byte(head), body...), err
}
