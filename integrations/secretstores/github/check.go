package github

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"syscall"
	"time"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/secretstores"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// Check implements secretstores.Store. Kinds: workflow (workflow, owner, repo; those of redeploy by default) and
// http (url, status: 200 by default).
func (s *Store) Check(ctx context.Context, d incident.Dependent) (secretstores.Health, error) {
	p, err := placeOf(d)
	if err != nil {
		return secretstores.Health{}, err
	}
	kind := d.Check["kind"]
	if kind == "" && d.Redeploy["workflow"] != "" {
		kind = "workflow"
	}
	switch kind {
	case "workflow":
		merged := maps.Clone(d.Redeploy)
		if merged == nil {
			merged = map[string]string{}
		}
		maps.Copy(merged, d.Check)
		j, err := jobOf(d, merged)
		if err != nil {
			return secretstores.Health{}, err
		}
		return s.checkWorkflow(ctx, p, j)
	case "http":
		return s.checkHTTP(ctx, d)
	}
	return secretstores.Health{}, keys.Permanent(fmt.Errorf("dependent %q: check kind %q is not one of workflow, http", d.ID, kind))
}

func (s *Store) checkHTTP(ctx context.Context, d incident.Dependent) (secretstores.Health, error) {
	u, err := url.Parse(d.Check["url"])
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || u.User != nil {
		return secretstores.Health{}, keys.Permanent(fmt.Errorf("dependent %q: check url must be http or https, with a host and no password", d.ID))
	}
	want := http.StatusOK
	if t := d.Check["status"]; t != "" {
		if want, err = strconv.Atoi(t); err != nil {
			return secretstores.Health{}, keys.Permanent(fmt.Errorf("dependent %q: check status %q is not a number", d.ID, t))
		}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return secretstores.Health{}, keys.Permanent(fmt.Errorf("dependent %q: the check url cannot be asked", d.ID))
	}
	resp, err := s.probe.Do(req)
	if err != nil {
		if errors.Is(err, errGuarded) {
			return secretstores.Health{}, keys.Permanent(fmt.Errorf("dependent %q: %w", d.ID, errGuarded))
		}
		// The URL may carry a token in its query: only the host is named.
		return secretstores.Health{Detail: u.Host + " does not answer"}, ctx.Err()
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10))
	return secretstores.Health{
		Healthy: resp.StatusCode == want,
		Detail:  fmt.Sprintf("%s answered %d, wanted %d", u.Host, resp.StatusCode, want),
	}, nil
}

var errGuarded = errors.New("the check url leads to a loopback or private address, which the configuration does not allow")

// prober looks at addresses after name resolution, so that a name cannot lead inside.
func prober(private bool) *http.Client {
	dialer := &net.Dialer{Timeout: 5 * time.Second}
	if !private {
		dialer.Control = func(_, address string, _ syscall.RawConn) error {
			ap, err := netip.ParseAddrPort(address)
			if err != nil {
				return errGuarded
			}
			a := ap.Addr().Unmap()
			if a.IsLoopback() || a.IsPrivate() || a.IsLinkLocalUnicast() || a.IsUnspecified() || a.IsMulticast() {
				return errGuarded
			}
			return nil
		}
	}
	return &http.Client{
		Timeout:       10 * time.Second,
		Transport:     &http.Transport{DialContext: dialer.DialContext, TLSHandshakeTimeout: 5 * time.Second, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
