package sources

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// Auth decides whether a delivery comes from whom it should. It returns nil or ErrUnauthenticated.
type Auth interface{ Check(r Request) error }

// minSecret is the shortest signing secret that is taken, in bytes: an empty one would let everybody in.
const minSecret = 16

type signed struct {
	header  string
	secrets [][]byte
}

// HMAC accepts bodies signed as "sha256=<hex HMAC-SHA256>" in header with any of the secrets (two while one is being
// changed).
func HMAC(header string, secrets ...[]byte) (Auth, error) {
	if len(secrets) == 0 {
		return nil, errors.New("a signed source needs a signing secret")
	}
	for _, s := range secrets {
		if len(s) < minSecret {
			return nil, fmt.Errorf("the signing secret has %d bytes; at least %d are wanted", len(s), minSecret)
		}
	}
	return signed{header, secrets}, nil
}

// Check implements Auth in constant time. A header that comes twice is refused.
func (s signed) Check(r Request) error {
	given := r.Headers.Values(s.header)
	if len(given) != 1 {
		return ErrUnauthenticated
	}
	text, has := strings.CutPrefix(given[0], "sha256=")
	mac, err := hex.DecodeString(text)
	if !has || err != nil || len(mac) != sha256.Size {
		return ErrUnauthenticated
	}
	good := false
	for _, secret := range s.secrets {
		h := hmac.New(sha256.New, secret)
		_, _ = h.Write(r.Body)
		good = hmac.Equal(h.Sum(nil), mac) || good
	}
	if !good {
		return ErrUnauthenticated
	}
	return nil
}

type bearer struct{ hashes [][]byte }

// Bearer accepts a bearer token whose SHA-256, written "sha256:<hex>", is one of hashes.
func Bearer(hashes ...string) (Auth, error) {
	if len(hashes) == 0 {
		return nil, errors.New("a source with bearer tokens needs at least one token hash")
	}
	var b bearer
	for _, h := range hashes {
		text, has := strings.CutPrefix(h, "sha256:")
		raw, err := hex.DecodeString(text)
		if !has || err != nil || len(raw) != sha256.Size {
			return nil, errors.New("a token hash must be written sha256:<64 hex digits>")
		}
		b.hashes = append(b.hashes, raw)
	}
	return b, nil
}

// HashToken is the form in which a bearer token is kept.
func HashToken(token string) string {
	sum := sha256.Sum256([]byte(token))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// Check implements Auth.
func (b bearer) Check(r Request) error {
	given := r.Headers.Values("Authorization")
	if len(given) != 1 {
		return ErrUnauthenticated
	}
	scheme, token, _ := strings.Cut(given[0], " ")
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return ErrUnauthenticated
	}
	sum := sha256.Sum256([]byte(token))
	good := 0
	for _, h := range b.hashes {
		good |= subtle.ConstantTimeCompare(h, sum[:])
	}
	if good != 1 {
		return ErrUnauthenticated
	}
	return nil
}

type either []Auth

// Either accepts what any of the given ways accepts.
func Either(ways ...Auth) Auth { return either(ways) }

// Check implements Auth; with no way at all it refuses.
func (e either) Check(r Request) error {
	for _, a := range e {
		if a.Check(r) == nil {
			return nil
		}
	}
	return ErrUnauthenticated
}

// Headers that carry signatures.
const (
	GenericSignature = "X-Tourniquet-Signature"
	GitHubSignature  = "X-Hub-Signature-256"
)

// keep copies the named headers, cut to a sane length.
func keep(h http.Header, names ...string) map[string]string {
	out := map[string]string{}
	for _, n := range names {
		if v := h.Get(n); v != "" {
			out[http.CanonicalHeaderKey(n)] = cut(v, 200)
		}
	}
	return out
}
