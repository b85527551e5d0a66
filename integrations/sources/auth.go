package sources

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// Auth decides whether a delivery comes from whom it should. It returns nil, ErrUnauthenticated, or another error where that
// could not be found out now (the key of a signature could not be fetched): then the sender comes again.
type Auth interface {
	Check(ctx context.Context, r Request) error
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
func (b bearer) Check(_ context.Context, r Request) error {
	token, ok := bearerToken(r.Headers)
	if !ok {
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

// bearerToken is the one token of a request; a header that comes twice is none.
func bearerToken(h http.Header) (string, bool) {
	given := h.Values("Authorization")
	if len(given) != 1 {
		return "", false
	}
	scheme, token, _ := strings.Cut(given[0], " ")
	return token, strings.EqualFold(scheme, "Bearer") && token != ""
}

type certificate struct{ names []string }

// Certificate accepts who spoke through TLS with a client certificate of the configured authority that carries one of the names.
func Certificate(names ...string) (Auth, error) {
	if len(names) == 0 || slices.Contains(names, "") {
		return nil, errors.New("a source with client certificates needs the names that may send")
	}
	return certificate{names}, nil
}

// Check implements Auth.
func (c certificate) Check(_ context.Context, r Request) error {
	for _, n := range r.Peer {
		if slices.Contains(c.names, n) {
			return nil
		}
	}
	return ErrUnauthenticated
}

type loopback struct{}

// Loopback accepts what comes from this machine itself and was not handed on by a proxy.
func Loopback() Auth { return loopback{} }

// Check implements Auth.
func (loopback) Check(_ context.Context, r Request) error {
	for _, h := range []string{"Forwarded", "X-Forwarded-For", "X-Real-Ip", "Via"} {
		if r.Headers.Get(h) != "" {
			return ErrUnauthenticated
		}
	}
	if !r.Remote.Addr().Unmap().IsLoopback() {
		return ErrUnauthenticated
	}
	return nil
}

type either []Auth

// Either accepts what any of the given ways accepts.
func Either(ways ...Auth) Auth { return either(ways) }

// Check implements Auth; with no way at all it refuses. That one way could not be tried matters only where no other accepts.
func (e either) Check(ctx context.Context, r Request) error {
	verdict := error(ErrUnauthenticated)
	for _, a := range e {
		err := a.Check(ctx, r)
		if err == nil {
			return nil
		}
		if !errors.Is(err, ErrUnauthenticated) {
			verdict = fmt.Errorf("whether the delivery is genuine could not be found out: %w", err)
		}
	}
	return verdict
}

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
