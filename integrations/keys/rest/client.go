package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/tape"
	"github.com/tourniquet-ir/tourniquet/internal/outbound"
)

const (
	callTimeout = 30 * time.Second
	firstPause  = 25 * time.Millisecond
	lastPause   = 100 * time.Millisecond
)

// Options of a client.
type Options struct {
	Who       string            // as errors name the service
	BaseURL   string            // paths are appended to it
	Header    map[string]string // sent with every call: credentials, versions
	KeyShape  *regexp.Regexp    // what a key looks like, to be cut out of errors
	Words     Words             // reads code and message of an error's body
	RequestID string            // the header that names a call at the service
	Client    *http.Client      // its transport is used below ours; nil means the default
}

// Words reads what an error's body says: a code and a message, "" where there is none.
type Words func(body []byte) (code, message string)

// Client calls one service.
type Client struct {
	opt  Options
	http *http.Client
}

// New makes a client; it makes no call.
func New(opt Options) *Client {
	opt.BaseURL = strings.TrimSuffix(opt.BaseURL, "/")
	return &Client{opt: opt, http: tape.Transport{Next: outbound.Home(tape.Next(opt.Client))}.Client(callTimeout)}
}

// As is the same client with other headers: a probe carries the key itself.
func (c *Client) As(header map[string]string) *Client {
	other := *c
	other.opt.Header = header
	return &other
}

// HTTP is the bounded client below, for a library that takes one.
func (c *Client) HTTP() *http.Client { return c.http }

// Call is one request.
type Call struct {
	What   string // what is tried, as "deleting the key \"k1\""
	Method string
	Path   string
	Query  url.Values
	In     any // encoded as JSON; nil sends no body
	Out    any // decoded from JSON; nil is not looked at
}

// Do makes the call once and answers the service's own id of it.
func (c *Client) Do(ctx context.Context, call Call) (request string, err error) {
	status, header, body, err := c.send(ctx, call)
	if err != nil {
		return "", err
	}
	return header.Get(c.opt.RequestID), c.judge(call, status, header, body)
}

// Read makes a call that changes nothing; it may be repeated twice when the fault looks transient.
func (c *Client) Read(ctx context.Context, call Call) error {
	return Again(ctx, func() error { _, err := c.Do(ctx, call); return err })
}

// Answer makes the call once and gives what came back without judging it; for probes.
func (c *Client) Answer(ctx context.Context, call Call) (status int, body []byte, err error) {
	status, _, body, err = c.send(ctx, call)
	return status, body, err
}

func (c *Client) send(ctx context.Context, call Call) (int, http.Header, []byte, error) {
	var in io.Reader
	if call.In != nil {
		text, err := json.Marshal(call.In)
		if err != nil {
			return 0, nil, nil, c.fault(call.What, errors.New("the request cannot be encoded"))
		}
		in = bytes.NewReader(text)
	}
	target := c.opt.BaseURL + call.Path
	if len(call.Query) > 0 {
		target += "?" + call.Query.Encode()
	}
	r, err := http.NewRequestWithContext(ctx, call.Method, target, in)
	if err != nil {
		return 0, nil, nil, permanent(fmt.Errorf("%s: the configured address of %s is not a URL", call.What, c.opt.Who))
	}
	r.Header.Set("Accept", "application/json")
	if in != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	for name, value := range c.opt.Header {
		r.Header.Set(name, value)
	}
	res, err := c.http.Do(r)
	if err != nil {
		return 0, nil, nil, c.fault(call.What, err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, nil, nil, c.fault(call.What, err)
	}
	return res.StatusCode, res.Header, body, nil
}

// judge believes an answer that is JSON, says no error, and fits what was asked for.
func (c *Client) judge(call Call, status int, header http.Header, body []byte) error {
	if status < 200 || status > 299 {
		return c.refused(call.What, status, header, body)
	}
	var inside struct {
		Error json.RawMessage `json:"error"`
	}
	if !json.Valid(body) {
		return c.fault(call.What, fmt.Errorf("%w: it is not JSON", tape.ErrStrange))
	}
	_ = json.Unmarshal(body, &inside) // a list has no error inside
	if text := string(inside.Error); text != "" && text != "null" && text != "false" {
		return c.refused(call.What, status, header, body)
	}
	if call.Out == nil {
		return nil
	}
	if err := json.Unmarshal(body, call.Out); err != nil {
		return c.fault(call.What, fmt.Errorf("%w: it has another shape", tape.ErrStrange))
	}
	return nil
}

// Again repeats do twice when the fault looks transient: not when the service names a time to wait.
func Again(ctx context.Context, do func() error) error {
	for pause := firstPause; ; pause *= 4 {
		err := do()
		if err == nil || !Transient(err) || pause > lastPause || sleep(ctx, pause) != nil {
			return err
		}
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// NoAnswer is what a probe says when no answer came: nothing is known of the key. The end of the context is an error.
func NoAnswer(ctx context.Context, err error) (keys.Probed, error) {
	if ctx.Err() != nil {
		return keys.Probed{}, ctx.Err()
	}
	if keys.IsPermanent(err) {
		return keys.Probed{}, err
	}
	return keys.Probed{State: keys.ProbeUnknown, Detail: err.Error()}, nil
}
