package pagerduty

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"

	pd "github.com/PagerDuty/go-pagerduty"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/paging"
)

// DefaultEndpoint is PagerDuty's own; the EU region uses https://events.eu.pagerduty.com.
const DefaultEndpoint = "https://events.pagerduty.com"

const (
	maxSummary = 1024 // runes
	maxDedup   = 255  // bytes
	maxAnswer  = 1 << 20
)

// Options configure a pager.
type Options struct {
	RoutingKey string // of the service's Events API v2 integration; never shown
	Endpoint   string // DefaultEndpoint when empty, without /v2/enqueue
	Transport  http.RoundTripper
}

// Pager pages the on-call of one PagerDuty service.
type Pager struct {
	client *pd.Client
	key    string
}

var _ paging.Pager = (*Pager)(nil)

// New checks the options and makes a pager; it makes no call.
func New(o Options) (*Pager, error) {
	if strings.TrimSpace(o.RoutingKey) == "" {
		return nil, errors.New("the PagerDuty routing key is empty: refer to one in the notify section of tourniquet.yaml")
	}
	if o.Endpoint == "" {
		o.Endpoint = DefaultEndpoint
	}
	u, err := url.Parse(o.Endpoint)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || (u.Scheme != "https" && u.Scheme != "http") {
		return nil, errors.New("the PagerDuty endpoint must look like https://events.pagerduty.com")
	}
	if o.Transport == nil {
		o.Transport = http.DefaultTransport
	}
	client := pd.NewClient("", pd.WithV2EventsAPIEndpoint(strings.TrimRight(o.Endpoint, "/")))
	client.HTTPClient = &http.Client{
		Timeout: 15 * time.Second, Transport: limited{o.Transport},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return &Pager{client: client, key: o.RoutingKey}, nil
}

// Page implements paging.Pager. Who is woken is PagerDuty's own schedule; people are named in the page.
func (p *Pager) Page(ctx context.Context, dedup, summary string, people []string) error {
	clean := make([]string, len(people))
	for i, who := range people {
		clean[i] = plain(who, 200)
	}
	return p.send(ctx, "page", pd.V2Event{
		Action: "trigger", DedupKey: dedupKey(dedup), Client: "Tourniquet",
		Payload: &pd.V2Payload{
			Summary: plain(summary, maxSummary), Source: "tourniquet", Severity: "critical",
			Details: map[string]any{"people": clean},
		},
	})
}

// Acknowledge implements paging.Pager.
func (p *Pager) Acknowledge(ctx context.Context, dedup string) error {
	return p.send(ctx, "acknowledge the page", pd.V2Event{Action: "acknowledge", DedupKey: dedupKey(dedup)})
}

// Resolve implements paging.Pager.
func (p *Pager) Resolve(ctx context.Context, dedup string) error {
	return p.send(ctx, "resolve the page", pd.V2Event{Action: "resolve", DedupKey: dedupKey(dedup)})
}

func (p *Pager) send(ctx context.Context, what string, e pd.V2Event) error {
	if e.DedupKey == "" || e.Payload != nil && e.Payload.Summary == "" {
		return keys.Permanent(fmt.Errorf("%s: PagerDuty needs a dedup key and a summary", what))
	}
	e.RoutingKey = p.key
	said, err := p.client.ManageEventWithContext(ctx, &e)
	if err == nil && said.Status != "success" { // a good status alone is no receipt
		return fmt.Errorf("%s: PagerDuty did not confirm the event", what)
	}
	return fault(what, err)
}

// fault words an error without what PagerDuty or net/http quote: the answer may repeat the event with its routing key.
func fault(what string, err error) error {
	var answer pd.EventsAPIV2Error
	var api pd.APIError
	var outer *url.Error
	status := 0
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("%s: %w", what, context.Canceled)
	case errors.As(err, &answer):
		status = answer.StatusCode
	case errors.As(err, &api):
		status = api.StatusCode
	case errors.As(err, &outer):
		return fmt.Errorf("%s: PagerDuty cannot be reached: %w", what, outer.Err)
	default:
		return fmt.Errorf("%s: PagerDuty's answer cannot be read", what)
	}
	out := fmt.Errorf("%s: PagerDuty answered %d", what, status)
	if status == http.StatusTooManyRequests || status == http.StatusRequestTimeout || status >= 500 {
		return out
	}
	return keys.Permanent(fmt.Errorf("%w: check the routing key and that the integration is an Events API v2 one", out))
}

// dedupKey keeps keys that PagerDuty takes and hashes longer ones, so that they stay different.
func dedupKey(s string) string {
	if len(s) <= maxDedup {
		return s
	}
	sum := sha256.Sum256([]byte(s))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// plain is one line without control characters.
func plain(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r):
			return ' '
		case unicode.Is(unicode.Cf, r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "�"))
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > limit {
		s = string(r[:limit-1]) + "…"
	}
	return s
}

type limited struct{ next http.RoundTripper }

func (l limited) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := l.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(resp.Body, maxAnswer), resp.Body}
	return resp, nil
}
