package slack

import (
	stdctx "context"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	slackapi "github.com/slack-go/slack"

	"github.com/tourniquet-ir/tourniquet/integrations/chat"
)

// Config is what Slack needs. Token, AppToken and SigningSecret are secrets: they are never logged or put into errors.
type Config struct {
	Token         string // xoxb-…
	AppToken      string // xapp-…, for Socket Mode
	SigningSecret string // for the HTTP door
	BaseURL       string // "" for slack.com; ends in /api/
	Channel       string // id of the responders' channel
	Rooms         bool   // every incident gets a channel of its own, which needs one scope more

	Teams       []string // workspaces whose presses are taken; empty takes none
	Apps        []string // app ids whose presses are taken; empty takes none
	Enterprises []string // enterprise ids; empty takes any that owns an allowed workspace
	Channels    []string // further channels in which the slash command is answered

	HTTPClient *http.Client // nil: one with ten seconds for each call
	Log        *slog.Logger // nil: nothing is logged
	Meter      Meter        // nil: nothing is counted
}

// Meter counts calls and acts. No label is ever a word of somebody outside.
type Meter interface {
	SlackCall(call, outcome string)
	SlackAct(kind string, repeated bool, took time.Duration)
}

type noMeter struct{}

func (noMeter) SlackCall(string, string)             {}
func (noMeter) SlackAct(string, bool, time.Duration) {}

// Chat is Slack behind the port chat.Chat, and its two doors.
type Chat struct {
	cfg    Config
	api    *slackapi.Client
	client *http.Client
	log    *slog.Logger

	late    sync.WaitGroup // work that outlives its acknowledgement
	shared  sharedChannels
	repeats repeats
}

var _ chat.Chat = (*Chat)(nil)

// New makes a Chat. It sends nothing yet; Check does.
func New(cfg Config) *Chat {
	c := &Chat{cfg: cfg, client: limited(cfg.HTTPClient), log: cfg.Log}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	if c.cfg.Meter == nil {
		c.cfg.Meter = noMeter{}
	}
	c.shared.seen, c.repeats.taken = map[string]time.Time{}, map[string]*taken{}
	c.api = slackapi.New(cfg.Token, c.options()...)
	return c
}

func (c *Chat) options() []slackapi.Option {
	options := []slackapi.Option{slackapi.OptionHTTPClient(c.client)}
	if c.cfg.BaseURL != "" {
		options = append(options, slackapi.OptionAPIURL(c.cfg.BaseURL))
	}
	if c.cfg.AppToken != "" {
		options = append(options, slackapi.OptionAppLevelToken(c.cfg.AppToken))
	}
	return options
}

// Wait returns when everything that was acknowledged has also been answered. Call it after the door is closed.
func (c *Chat) Wait() { c.late.Wait() }

func (c *Chat) allowed(team, app, enterprise string) bool {
	return slices.Contains(c.cfg.Teams, team) && slices.Contains(c.cfg.Apps, app) &&
		(enterprise == "" || len(c.cfg.Enterprises) == 0 || slices.Contains(c.cfg.Enterprises, enterprise))
}

// answersIn tells whether the slash command is answered in this channel: the configured ones, direct messages with the
// app, and wherever something of ours was shown.
func (c *Chat) answersIn(ctx stdctx.Context, desk chat.Desk, channel string) bool {
	return channel == c.cfg.Channel || slices.Contains(c.cfg.Channels, channel) || strings.HasPrefix(channel, "D") || desk.Shown(ctx, channel)
}

const (
	callTimeout = 10 * time.Second
	mostAnswer  = 4 << 20 // bytes of one answer of Slack
)

// limited is the given client, or one with a time limit, that reads no endless answer and follows no redirect.
func limited(given *http.Client) *http.Client {
	client := &http.Client{Timeout: callTimeout}
	if given != nil {
		copied := *given
		client = &copied
	}
	if client.Timeout == 0 {
		client.Timeout = callTimeout
	}
	next := client.Transport
	if next == nil {
		next = http.DefaultTransport
	}
	client.Transport = bounded{next}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return client
}

type bounded struct{ next http.RoundTripper }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := b.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	res.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(res.Body, mostAnswer), res.Body}
	return res, nil
}
