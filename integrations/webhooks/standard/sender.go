package standard

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/webhooks"
	"github.com/tourniquet-ir/tourniquet/internal/outbound"
)

const (
	maxBody = 256 << 10 // bytes
	timeout = 15 * time.Second
)

// Receiver is one address that may be sent to.
type Receiver struct {
	Name    string
	URL     string
	Secrets []string // "whsec_" and base64; every one signs, so that a receiver may change over
}

// Sender sends to receivers.
type Sender struct {
	guard     outbound.Guard
	receivers map[string]receiver
	now       func() time.Time
}

type receiver struct {
	url     string
	secrets [][]byte
}

var _ webhooks.Sender = (*Sender)(nil)

// New checks the receivers; it sends nothing.
func New(guard outbound.Guard, list []Receiver, now func() time.Time) (*Sender, error) {
	s := &Sender{guard: guard, receivers: map[string]receiver{}, now: now}
	for _, r := range list {
		if _, err := guard.URL(r.URL); err != nil {
			return nil, fmt.Errorf("webhook %q: %w", r.Name, err)
		}
		if len(r.Secrets) == 0 {
			return nil, fmt.Errorf("webhook %q: it has no secret, so nobody could tell who sent it", r.Name)
		}
		made := receiver{url: r.URL}
		for _, text := range r.Secrets {
			key, err := secretOf(text)
			if err != nil {
				return nil, fmt.Errorf("webhook %q: %w", r.Name, err)
			}
			made.secrets = append(made.secrets, key)
		}
		s.receivers[r.Name] = made
	}
	return s, nil
}

func secretOf(text string) ([]byte, error) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(text, "whsec_"))
	if err != nil || len(key) < 24 || len(key) > 64 {
		return nil, errors.New("a secret is whsec_ and the base64 of 24 to 64 random bytes")
	}
	return key, nil
}

// Send implements webhooks.Sender.
func (s *Sender) Send(ctx context.Context, to string, e webhooks.Event) error {
	r, known := s.receivers[to]
	if !known {
		return keys.Permanent(fmt.Errorf("no webhook is named %q; there are %s", to, strings.Join(slices.Sorted(maps.Keys(s.receivers)), ", ")))
	}
	what := fmt.Sprintf("send to webhook %q", to)
	body, err := json.Marshal(e)
	if err != nil || len(body) > maxBody {
		return keys.Permanent(fmt.Errorf("%s: the event is no JSON of at most %d bytes", what, maxBody))
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.url, bytes.NewReader(body))
	if err != nil {
		return keys.Permanent(fmt.Errorf("%s: its address cannot be called", what))
	}
	at := strconv.FormatInt(s.now().Unix(), 10)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "tourniquet")
	req.Header.Set("webhook-id", e.ID)
	req.Header.Set("webhook-timestamp", at)
	req.Header.Set("webhook-signature", r.sign(e.ID, at, body))
	res, err := s.guard.Client(timeout).Do(req)
	if err != nil {
		if errors.Is(err, outbound.ErrRefused) {
			return keys.Permanent(fmt.Errorf("%s: %w", what, outbound.Reason(err)))
		}
		if ctx.Err() != nil {
			return fmt.Errorf("%s: no answer in time: %w", what, ctx.Err())
		}
		return fmt.Errorf("%s: it does not answer", what)
	}
	_ = res.Body.Close() // what it says does not count
	return answered(what, res.StatusCode)
}

// answered: a receiver that is gone, or sends us elsewhere, is for the operator.
func answered(what string, status int) error {
	switch {
	case status >= 200 && status < 300:
		return nil
	case status == http.StatusTooManyRequests, status == http.StatusRequestTimeout, status >= 500:
		return fmt.Errorf("%s: it answered %d", what, status)
	}
	return keys.Permanent(fmt.Errorf("%s: it answered %d; check its address and secret", what, status))
}

func (r receiver) sign(id, at string, body []byte) string {
	all := make([]string, 0, len(r.secrets))
	for _, key := range r.secrets {
		mac := hmac.New(sha256.New, key)
		_, _ = fmt.Fprintf(mac, "%s.%s.", id, at) // a hash takes everything
		_, _ = mac.Write(body)
		all = append(all, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	}
	return strings.Join(all, " ")
}
