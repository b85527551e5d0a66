package api

import (
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

	"github.com/google/go-github/v60/github"

	"github.com/tourniquet-ir/tourniquet/internal/outbound"
)

// DefaultBaseURL is GitHub's own API; GitHub Enterprise Server uses https://HOST/api/v3/.
const DefaultBaseURL = "https://api.github.com/"

// maxAnswer bounds every answer that we read: 100 issues of 64 KiB each fit.
const maxAnswer = 8 << 20

// Options configure a client.
type Options struct {
	BaseURL string        // DefaultBaseURL when empty
	Token   string        // sent as a bearer token, never shown
	Timeout time.Duration // for one call; 15 s when zero
	// Transport carries the calls; http.DefaultTransport when nil.
	Transport http.RoundTripper
}

// Client calls GitHub.
type Client struct{ gh *github.Client }

// New checks the options and makes a client; it makes no call.
func New(o Options) (*Client, error) {
	base, err := baseURL(o.BaseURL)
	if err != nil {
		return nil, err
	}
	if strings.TrimSpace(o.Token) == "" {
		return nil, errors.New("the GitHub token is empty: refer to one in the github section of tourniquet.yaml")
	}
	if o.Timeout == 0 {
		o.Timeout = 15 * time.Second
	}
	if o.Transport == nil {
		o.Transport = http.DefaultTransport
	}
	hc := &http.Client{
		Timeout:   o.Timeout,
		Transport: outbound.Honest(limited{o.Transport}, errorInside),
		// A redirect would turn a PUT into a GET, or carry the token to a host that nobody configured.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	gh := github.NewClient(hc).WithAuthToken(o.Token)
	gh.BaseURL = base
	gh.UserAgent = "tourniquet"
	return &Client{gh: gh}, nil
}

// errorInside is how GitHub words a refusal, whatever its status.
func errorInside(fields map[string]json.RawMessage) bool {
	return outbound.Says(fields, "error") || outbound.Says(fields, "message") && outbound.Says(fields, "documentation_url")
}

func baseURL(s string) (*url.URL, error) {
	if s == "" {
		s = DefaultBaseURL
	}
	if !strings.HasSuffix(s, "/") {
		s += "/" // go-github refuses a base without it
	}
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.User != nil || (u.Scheme != "https" && u.Scheme != "http") {
		return nil, errors.New("the GitHub base URL must look like https://api.github.com/ or https://HOST/api/v3/")
	}
	return u, nil
}

// Call makes one request. path comes from Path; in is sent as JSON when not nil; the answer is decoded into
// out when not nil. what names the call in errors. status is 0 when no answer came.
func (c *Client) Call(ctx context.Context, what, method, path string, in, out any) (status int, err error) {
	req, err := c.gh.NewRequest(method, path, in)
	if err != nil {
		return 0, fmt.Errorf("%s: the request cannot be built", what)
	}
	resp, err := c.gh.Do(ctx, req, out)
	if resp != nil && resp.Response != nil {
		status = resp.StatusCode
	}
	if err != nil {
		return status, fault(what, status, err)
	}
	return status, nil
}

// Login returns the account that the token belongs to; it is the read-only proof that the token works.
func (c *Client) Login(ctx context.Context) (string, error) {
	var u struct {
		Login string `json:"login"`
	}
	const what = "read the account of the GitHub token"
	_, err := c.Call(ctx, what, http.MethodGet, "user", nil, &u)
	if err == nil && u.Login == "" {
		err = fmt.Errorf("%s: GitHub's answer names no account", what)
	}
	return u.Login, err
}

// Hosts returns the hosts under which this GitHub is known: of its API and of its pages.
func (c *Client) Hosts() []string {
	h := c.gh.BaseURL.Host
	if page, ok := strings.CutPrefix(h, "api."); ok {
		return []string{h, page}
	}
	return []string{h}
}

// Path joins segments, each escaped, so that a name can never change the path of a call.
func Path(segments ...string) string {
	out := make([]string, len(segments))
	for i, s := range segments {
		out[i] = url.PathEscape(s)
	}
	return strings.Join(out, "/")
}

var name = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,100}$`)

// CheckRepo refuses an owner or repository that GitHub could not have.
func CheckRepo(owner, repo string) error {
	for _, s := range []string{owner, repo} {
		if !name.MatchString(s) || s == "." || s == ".." {
			return fmt.Errorf("%q/%q is not the owner and name of a GitHub repository", owner, repo)
		}
	}
	return nil
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
