package slack

import (
	stdctx "context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"sync"
	"time"

	slackapi "github.com/slack-go/slack"
)

// Replay remembers requests that were taken, so that a captured one cannot be sent again. Several processes behind
// one address must share it.
type Replay interface {
	// SeenBefore records the key and tells whether it was there already. The key may be forgotten after until.
	SeenBefore(ctx stdctx.Context, key string, until time.Time) (bool, error)
}

const (
	mostBody = 1 << 20
	window   = 5 * time.Minute
)

type doorFault int

const (
	faultNone doorFault = iota
	faultRefused
	faultTooLarge
	faultStore
)

// authentic reads the body and proves that Slack sent it, now, once. The query must be empty: no signature covers it.
func (c *Chat) authentic(r *http.Request, replay Replay) ([]byte, doorFault) {
	if r.URL.RawQuery != "" || r.URL.ForceQuery {
		return nil, faultRefused
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, mostBody+1))
	if err != nil {
		return nil, faultRefused
	}
	if len(body) > mostBody {
		return nil, faultTooLarge
	}
	verifier, err := slackapi.NewSecretsVerifier(r.Header, c.cfg.SigningSecret)
	if err != nil {
		return nil, faultRefused
	}
	if _, err := verifier.Write(body); err != nil {
		return nil, faultRefused
	}
	if err := verifier.Ensure(); err != nil {
		return nil, faultRefused
	}
	// The key is made of what the signature covers, for the header itself can be written in several ways.
	sum := sha256.New()
	sum.Write([]byte(r.Header.Get("X-Slack-Request-Timestamp") + ":"))
	sum.Write(body)
	seen, err := replay.SeenBefore(r.Context(), "slack:"+hex.EncodeToString(sum.Sum(nil)), time.Now().Add(2*window))
	if err != nil {
		return nil, faultStore
	}
	if seen {
		return nil, faultRefused
	}
	return body, faultNone
}

// MemoryReplay is a Replay for one process.
type MemoryReplay struct {
	mu   sync.Mutex
	keys map[string]time.Time
}

// NewMemoryReplay makes an empty one.
func NewMemoryReplay() *MemoryReplay { return &MemoryReplay{keys: map[string]time.Time{}} }

// SeenBefore records the key and forgets those whose time is over.
func (m *MemoryReplay) SeenBefore(_ stdctx.Context, key string, until time.Time) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	for k, t := range m.keys {
		if now.After(t) {
			delete(m.keys, k)
		}
	}
	if _, ok := m.keys[key]; ok {
		return true, nil
	}
	m.keys[key] = until
	return false, nil
}
