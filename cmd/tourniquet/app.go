package main

import (
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"go.uber.org/fx"

	"github.com/tourniquet-ir/tourniquet/activities"
	"github.com/tourniquet-ir/tourniquet/integrations/chat"
	"github.com/tourniquet-ir/tourniquet/integrations/chat/slack"
	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/anthropic"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/azureopenai"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/bedrock"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/gemini"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/litellm"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/openai"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/openrouter"
	"github.com/tourniquet-ir/tourniquet/integrations/mail"
	"github.com/tourniquet-ir/tourniquet/integrations/mail/smtp"
	"github.com/tourniquet-ir/tourniquet/integrations/paging"
	"github.com/tourniquet-ir/tourniquet/integrations/paging/pagerduty"
	"github.com/tourniquet-ir/tourniquet/integrations/sources"
	"github.com/tourniquet-ir/tourniquet/integrations/tickets"
	ghtickets "github.com/tourniquet-ir/tourniquet/integrations/tickets/github"
	ghapi "github.com/tourniquet-ir/tourniquet/integrations/tickets/github/api"
	"github.com/tourniquet-ir/tourniquet/internal/config"
	"github.com/tourniquet-ir/tourniquet/internal/metrics"
)

// app is the map of the house: every room in the order in which it opens. Closing goes the other way.
func app(s settings) fx.Option {
	return fx.Options(
		fx.Supply(s),
		fx.NopLogger,
		fx.StartTimeout(2*time.Minute), fx.StopTimeout(30*time.Second),
		fx.Module("records", fx.Provide(lockData, openRing, trustedKeys, openDatabase, openEvidence)),
		fx.Module("outside", fx.Provide(metrics.New, meteredSlack, chatPort, gitHub, openTracing, wiredAccounts, stores, tracker, pager, mailer, hooks, inventoryOf, directory, knownSources)),
		fx.Module("engine", fx.Provide(startEngine, temporalClient, shelf)),
		fx.Module("cards", fx.Provide(cardBoard, newLookout, newDrain), fx.Invoke(countRecords)),
		s.Role.only(roleWorker, fx.Module("verbs", fx.Provide(house), fx.Invoke(runWorker, keepBurn))),
		s.Role.only(roleAPI, fx.Options(
			fx.Module("people", fx.Provide(openSigner, desk), fx.Invoke(checkSeats, keepRetention)),
			fx.Module("alerts", fx.Provide(newStarter, newDispatcher, waker), fx.Invoke(scheduleWatch)),
			fx.Module("doors", fx.Provide(routes), fx.Invoke(listen, runSocket)),
		)),
		s.Role.without(roleAPI, fx.Module("health", fx.Provide(nobodyToWake, healthRoutes), fx.Invoke(listen))),
	)
}

// settings is what a command hands to the house.
type settings struct {
	Config *config.Config
	Env    config.Places // where references lead
	World  string        // production or drill
	Log    *slog.Logger
	Ready  func(url string) // called when the doors are open
	Role   role             // which part of the house this process is; empty: all of it
	Viewer string           // drills: a link token that may look at the console and decide nothing

	wire func(provider, account string) http.RoundTripper // below each provider's client; nil: the default
}

// gitHubPorts are the ports that one GitHub token serves.
type gitHubPorts struct {
	API     *ghapi.Client
	Alerts  *ghtickets.Alerts
	Tracker *ghtickets.Tracker
}

func meteredSlack(s settings, m *metrics.Metrics) (*slack.Chat, error) { return slackChat(s, m) }

// slackChat is nil where Slack is not configured; without a meter nothing is counted.
func slackChat(s settings, meter slack.Meter) (*slack.Chat, error) {
	c := s.Config.Slack
	if c == nil {
		return nil, nil
	}
	cfg := slack.Config{BaseURL: c.BaseURL, Channel: c.Channel, Rooms: c.Rooms, Teams: c.Teams, Apps: c.Apps, Enterprises: c.Enterprises,
		Channels: c.Channels, Log: s.Log, Meter: meter}
	for _, ref := range []struct {
		name string
		from config.Secret
		to   *string
	}{{"slack.token", c.Token, &cfg.Token}, {"slack.app_token", c.AppToken, &cfg.AppToken}, {"slack.signing_secret", c.SigningSecret, &cfg.SigningSecret}} {
		v, err := ref.from.Resolve(s.Env)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", ref.name, err)
		}
		*ref.to = v
	}
	return slack.New(cfg), nil
}

// chatPort is nil, and not a nil *slack.Chat in an interface, where Slack is not configured.
func chatPort(c *slack.Chat) chat.Chat {
	if c == nil {
		return nil
	}
	return c
}

func gitHub(s settings) (gitHubPorts, error) {
	c := s.Config.GitHub
	if c == nil {
		return gitHubPorts{}, nil
	}
	token, err := c.Token.Resolve(s.Env)
	if err != nil {
		return gitHubPorts{}, fmt.Errorf("github.token: %w", err)
	}
	api, err := ghapi.New(ghapi.Options{BaseURL: c.BaseURL, Token: token})
	if err != nil {
		return gitHubPorts{}, err
	}
	p := gitHubPorts{API: api, Alerts: ghtickets.NewAlerts(api)}
	if c.Tickets.Owner != "" {
		p.Tracker, err = ghtickets.NewTracker(api, c.Tickets.Owner, c.Tickets.Repo, c.Tickets.Labels...)
	}
	return p, err
}

// vendor is one provider: how its accounts are opened, and what it declares without one.
type vendor struct {
	name string
	open func(settings) ([]activities.Account, error)
	says interface{ Can(keys.Op) keys.Capability }
}

// vendors are the providers that are built in. One more is one file account<name>.go and one line here.
func vendors() []vendor {
	return []vendor{
		{"gemini", geminiAccounts, &gemini.Provider{}},
		{"openai", openaiAccounts, &openai.Provider{}},
		{"anthropic", anthropicAccounts, &anthropic.Provider{}},
		{"openrouter", openrouterAccounts, &openrouter.Provider{}},
		{"litellm", litellmAccounts, &litellm.Provider{}},
		{"bedrock", bedrockAccounts, &bedrock.Provider{}},
		{"azure_openai", azureAccounts, &azureopenai.Provider{}},
	}
}

// accounts are the providers' accounts that the configuration names.
func accounts(s settings) ([]activities.Account, error) {
	var out []activities.Account
	for _, v := range vendors() {
		some, err := v.open(s)
		if err != nil {
			return nil, err
		}
		out = append(out, some...)
	}
	return out, nil
}

func tracker(g gitHubPorts) tickets.Tracker {
	if g.Tracker == nil {
		return nil
	}
	return g.Tracker
}

func pager(s settings) (paging.Pager, error) {
	c := s.Config.Notify.PagerDuty
	if c == nil || c.RoutingKey == "" && c.APIToken != "" { // only asked who is on call
		return nil, nil
	}
	key, err := c.RoutingKey.Resolve(s.Env)
	if err != nil {
		return nil, fmt.Errorf("notify.pagerduty.routing_key: %w", err)
	}
	return pagerduty.New(pagerduty.Options{RoutingKey: key, Endpoint: c.BaseURL})
}

func roster(s settings) (paging.Roster, error) {
	c := s.Config.Notify.PagerDuty
	if c == nil || c.APIToken == "" {
		return nil, nil
	}
	token, err := c.APIToken.Resolve(s.Env)
	if err != nil {
		return nil, fmt.Errorf("notify.pagerduty.api_token: %w", err)
	}
	return pagerduty.NewRoster(pagerduty.RosterOptions{Token: token, Endpoint: c.APIURL})
}

func mailer(s settings) (mail.Mailer, error) {
	c := s.Config.Notify.Mail
	if c == nil {
		return nil, nil
	}
	password, err := c.Password.Resolve(s.Env)
	if err != nil {
		return nil, fmt.Errorf("notify.mail.password: %w", err)
	}
	return smtp.New(smtp.Options{Host: c.Host, Port: c.Port, User: c.User, Password: password, From: c.From, TLS: c.TLS})
}

// knownSources are the formats that findings arrive in.
func knownSources() []sources.Source {
	return []sources.Source{
		sources.NewGitHub(), sources.NewGitGuardian(), sources.NewTruffleHog(), sources.NewGitleaks(), sources.NewAlertmanager(), sources.NewGrafana(),
		sources.NewAWS(), sources.NewGCP(), sources.NewCloudEvents(), sources.NewGeneric(),
	}
}

// slackDoor is Slack over HTTP; nil without Slack.
func slackDoor(c *slack.Chat, d chat.Desk, replay slack.Replay) http.Handler {
	if c == nil {
		return nil
	}
	return c.Handler(d, replay)
}
