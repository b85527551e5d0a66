package sources

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Headers that carry signatures and their times.
const (
	GenericSignature     = "X-Tourniquet-Signature"
	GenericTimestamp     = "X-Tourniquet-Timestamp"
	GitHubSignature      = "X-Hub-Signature-256"
	GrafanaSignature     = "X-Grafana-Alerting-Signature"
	GrafanaTimestamp     = "X-Grafana-Alerting-Signature-Timestamp"
	GitGuardianSignature = "Gitguardian-Signature"
	GitGuardianTimestamp = "Timestamp"
)

// minSecret is the shortest signing secret that is taken, in bytes: an empty one would let everybody in.
const minSecret = 16

// maxSkew is how far a signed time may lie from ours, either way.
const maxSkew = 5 * time.Minute

// Scheme is how a format signs its bodies with a shared secret: an HMAC-SHA256 in hex.
type Scheme struct {
	Header string // where the signature stands
	Prefix string // before the hex digits
	Stamp  string // header with the time; empty where the format has none
	Always bool   // the time must be there
	InKey  bool   // the time is part of the key; otherwise of the text, before a colon
}

// SchemeOf is the scheme of a format; formats that bring none of their own use ours.
func SchemeOf(format string) Scheme {
	switch format {
	case "github":
		return Scheme{Header: GitHubSignature, Prefix: "sha256="}
	case "grafana":
		return Scheme{Header: GrafanaSignature, Stamp: GrafanaTimestamp}
	case "gitguardian":
		return Scheme{Header: GitGuardianSignature, Prefix: "sha256=", Stamp: GitGuardianTimestamp, Always: true, InKey: true}
	}
	return Scheme{Header: GenericSignature, Prefix: "sha256=", Stamp: GenericTimestamp}
}

// Sign gives the headers of a genuine delivery.
func (s Scheme) Sign(secret, body []byte, at time.Time) http.Header {
	h, stamp := http.Header{}, ""
	if s.Stamp != "" {
		stamp = strconv.FormatInt(at.Unix(), 10)
		h.Set(s.Stamp, stamp)
	}
	h.Set(s.Header, s.Prefix+hex.EncodeToString(s.sum(secret, stamp, body)))
	return h
}

func (s Scheme) sum(secret []byte, stamp string, body []byte) []byte {
	key := secret
	if s.InKey {
		key = append([]byte(stamp), secret...)
	}
	mac := hmac.New(sha256.New, key)
	if stamp != "" && !s.InKey {
		_, _ = mac.Write([]byte(stamp + ":"))
	}
	_, _ = mac.Write(body)
	return mac.Sum(nil)
}

type signed struct {
	scheme  Scheme
	secrets [][]byte
}

// HMAC accepts bodies that are signed by the scheme with any of the secrets (two while one is being changed).
func HMAC(scheme Scheme, secrets ...[]byte) (Auth, error) {
	if len(secrets) == 0 {
		return nil, errors.New("a signed source needs a signing secret")
	}
	for _, s := range secrets {
		if len(s) < minSecret {
			return nil, fmt.Errorf("the signing secret has %d bytes; at least %d are wanted", len(s), minSecret)
		}
	}
	return signed{scheme, secrets}, nil
}

// Check implements Auth in constant time. A header that comes twice is refused. Where a time is signed it must be ours, give or
// take maxSkew; formats without one are safe to repeat, because a repeated finding is the same alert.
func (s signed) Check(_ context.Context, r Request) error {
	given := r.Headers.Values(s.scheme.Header)
	if len(given) != 1 {
		return ErrUnauthenticated
	}
	text, has := strings.CutPrefix(given[0], s.scheme.Prefix)
	mac, err := hex.DecodeString(text)
	if !has || err != nil || len(mac) != sha256.Size {
		return ErrUnauthenticated
	}
	stamp, fresh := s.stamp(r)
	if !fresh {
		return ErrUnauthenticated
	}
	good := false
	for _, secret := range s.secrets {
		good = hmac.Equal(s.scheme.sum(secret, stamp, r.Body), mac) || good
	}
	if !good {
		return ErrUnauthenticated
	}
	return nil
}

// stamp is the time that was signed; fresh is false where it is missing, unreadable, too old or in the future.
func (s signed) stamp(r Request) (stamp string, fresh bool) {
	if s.scheme.Stamp == "" {
		return "", true
	}
	given := r.Headers.Values(s.scheme.Stamp)
	switch len(given) {
	case 0:
		return "", !s.scheme.Always
	case 1:
	default:
		return "", false
	}
	at, ok := readStamp(given[0])
	return given[0], ok && r.At.Sub(at).Abs() <= maxSkew
}

func readStamp(text string) (time.Time, bool) {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		if n > 1e12 { // milliseconds
			return time.UnixMilli(n), true
		}
		return time.Unix(n, 0), true
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999"} {
		if at, err := time.Parse(layout, text); err == nil {
			return at, true
		}
	}
	return time.Time{}, false
}
