package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tourniquet-ir/tourniquet/internal/config"
)

const (
	askWithin    = 30 * time.Second
	loadWithin   = 15 * time.Minute // a bundle may be large
	maxAnswer    = 64 << 20
	maxProblem   = 64 << 10
	maxTokenFile = 4 << 10
)

// remote is a running serve, spoken to as one person.
type remote struct {
	base, token string
	http        *http.Client
}

// online is a group of commands that talk to a running serve.
func online(c *cobra.Command) *cobra.Command {
	c.PersistentFlags().String("token-file", "", "file with your personal token (default: the variable TOURNIQUET_TOKEN)")
	return c
}

// remote finds the server and the personal token.
func (sh *shell) remote(cmd *cobra.Command) (*remote, error) {
	base, err := sh.serverURL()
	if err != nil {
		return nil, err
	}
	token, err := sh.token(cmd)
	if err != nil {
		return nil, err
	}
	return &remote{base: base, token: token, http: &http.Client{
		// A redirect would carry the token to a place that nobody chose.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// serverURL is --server, else what the configuration says, else where serve listens by default.
func (sh *shell) serverURL() (string, error) {
	base := sh.Server
	if base == "" {
		c, err := sh.configOrDefaults()
		if err != nil {
			return "", err
		}
		base = c.URL()
	}
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "http" && u.Scheme != "https" {
		return "", misuse("--server takes an address such as https://tourniquet.example.com")
	}
	if u.Scheme == "http" && !loopback(u.Hostname()) {
		return "", misuse("a personal token is not sent over plain http to %q: use https, or a tunnel to a loopback address", u.Host)
	}
	return strings.TrimSuffix(base, "/"), nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// configOrDefaults reads the configuration where there is one; a command that only looks works without.
func (sh *shell) configOrDefaults() (*config.Config, error) {
	if _, err := os.Stat(sh.Config); errors.Is(err, os.ErrNotExist) {
		return config.Parse(nil)
	}
	c, err := config.Load(sh.Config)
	if err != nil {
		return nil, &coded{exitMisuse, err}
	}
	return c, nil
}

func (sh *shell) token(cmd *cobra.Command) (string, error) {
	token := sh.env("TOURNIQUET_TOKEN", "")
	if path, _ := cmd.Flags().GetString("token-file"); path != "" {
		f, err := os.Open(path) //nolint:gosec // the path is the operator's own
		if err != nil {
			return "", misuse("the token file %q cannot be read", path)
		}
		defer func() { _ = f.Close() }()
		body, err := io.ReadAll(io.LimitReader(f, maxTokenFile))
		if err != nil {
			return "", misuse("the token file %q cannot be read", path)
		}
		token = string(body)
	}
	if token = strings.TrimSpace(token); token == "" {
		return "", &coded{exitNoAuth, errors.New("who you are is not known: set TOURNIQUET_TOKEN or --token-file to your personal token; another operator makes one with: tourniquet person token")}
	}
	if strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", &coded{exitNoAuth, errors.New("the personal token holds characters that no token has; is it the right file?")}
	}
	return token, nil
}

// get reads JSON; the bytes come back as well, so that -o json prints what the server said.
func (r *remote) get(ctx context.Context, path string, into any) ([]byte, error) {
	return r.ask(ctx, http.MethodGet, path, nil, into)
}

func (r *remote) post(ctx context.Context, path string, body, into any) ([]byte, error) {
	return r.ask(ctx, http.MethodPost, path, body, into)
}

func (r *remote) ask(ctx context.Context, method, path string, body, into any) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	res, err := r.send(ctx, method, path, body)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err != nil {
		return nil, &unreachable{r.base, err}
	}
	if len(raw) > maxAnswer {
		return nil, fmt.Errorf("the answer of %s is larger than %d bytes", r.base, maxAnswer)
	}
	if into != nil {
		if err := json.Unmarshal(raw, into); err != nil {
			return nil, fmt.Errorf("%s did not answer as tourniquet does; is the address right?", r.base)
		}
	}
	return raw, nil
}

// load streams an answer, such as a bundle, to w.
func (r *remote) load(ctx context.Context, path string, w io.Writer) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, loadWithin)
	defer cancel()
	res, err := r.send(ctx, http.MethodGet, path, nil)
	if err != nil {
		return 0, err
	}
	defer func() { _ = res.Body.Close() }()
	n, err := io.Copy(w, res.Body)
	if err != nil {
		return n, fmt.Errorf("the answer of %s broke off after %d bytes: %w", r.base, n, err)
	}
	return n, nil
}

// send returns an answer that is good; every other answer is an error with its exit code.
func (r *remote) send(ctx context.Context, method, path string, body any) (*http.Response, error) {
	var in io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		in = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, r.base+path, in)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+r.token)
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := r.http.Do(req)
	if err != nil {
		return nil, &unreachable{r.base, err}
	}
	if res.StatusCode/100 != 2 {
		defer func() { _ = res.Body.Close() }()
		return nil, r.refused(res)
	}
	return res, nil
}
