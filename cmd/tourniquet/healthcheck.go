package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// healthcheckCmd is for images that hold nothing but this program: no shell and no curl.
func (sh *shell) healthcheckCmd() *cobra.Command {
	return &cobra.Command{
		Use: "healthcheck", Short: "Ask the serve of this configuration, on this machine, whether it is ready", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := sh.load()
			if err != nil {
				return err
			}
			host, port, err := net.SplitHostPort(c.Server.Listen)
			if err != nil {
				return err
			}
			if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
				host = "127.0.0.1"
			}
			scheme := "http"
			if c.Server.TLS != nil {
				scheme = "https"
			}
			return sh.healthcheck(cmd.Context(), scheme+"://"+net.JoinHostPort(host, port)+"/readyz")
		},
	}
}

func (sh *shell) healthcheck(ctx context.Context, at string) error {
	ctx, cancel := context.WithTimeout(ctx, 4*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return err
	}
	res, err := localClient().Do(req)
	if err != nil {
		return &unreachable{at, err}
	}
	defer func() { _ = res.Body.Close() }()
	words, err := io.ReadAll(io.LimitReader(res.Body, maxProblem))
	if err != nil {
		return err
	}
	said := strings.TrimSpace(string(words))
	if res.StatusCode != http.StatusOK {
		return &coded{exitFailed, fmt.Errorf("not ready: %w", errors.New(said))}
	}
	return sh.say("%s", said)
}

// localClient asks our own listener. Its certificate carries the name by which others know it, which is not this address; nothing is
// sent and one word is read, so there is nothing to protect.
func localClient() *http.Client {
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}} //nolint:gosec // see above
}
