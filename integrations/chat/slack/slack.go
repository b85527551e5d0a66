package slack

import (
	"io"
	"log/slog"
	"net/http"
	"slices"
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

	Teams       []string // workspaces whose presses are taken; empty takes none
	Apps        []string // app ids whose presses are taken; empty takes none
	Enterprises []string // enterprise ids; empty takes any that owns an allowed workspace

	HTTPClient *http.Client // "" of it: ten seconds for each call
	Log        *slog.Logger // nil: nothing is logged
}

// Chat is Slack behind the port chat.Chat, and its two doors.
type Chat struct {
	cfg    Config
	api    *slackapi.Client
	client *http.Client
	log    *slog.Logger

	late   sync.WaitGroup // work that outlives its acknowledgement
	shared sharedChannels
}

var _ chat.Chat = (*Chat)(nil)

// New makes a Chat. It sends nothing yet; Check does.
func New(cfg Config) *Chat {
	c := &Chat{cfg: cfg, client: limited(cfg.HTTPClient), log: cfg.Log}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	c.shared.seen = map[string]time.Time{}
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
