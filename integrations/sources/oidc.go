package sources

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// OIDCOptions say whose identity tokens are believed.
type OIDCOptions struct {
	Audience string   // what the sender was told to put into its tokens
	Email    string   // the service account that sends; anybody can get a token for any audience
	Subject  string   // in place of Email, for issuers other than Google
	Issuers  []string // default: Google's
	JWKS     string   // address of the issuer's keys; default: Google's
	Client   *http.Client
}

const googleKeys = "https://www.googleapis.com/oauth2/v3/certs"

// keysFor is how long fetched keys are used, and refetch how soon an unknown key may make us fetch again.
const (
	keysFor = time.Hour
	refetch = time.Minute
	maxKeys = 1 << 20
)

type oidc struct {
	o OIDCOptions

	mu   sync.Mutex
	keys jose.JSONWebKeySet
	at   time.Time
	last time.Time // of the last attempt
}

// OIDC accepts deliveries with an identity token of the issuer, for our audience, of the one sender.
func OIDC(o OIDCOptions) (Auth, error) {
	if o.Audience == "" || (o.Email == "") == (o.Subject == "") {
		return nil, errors.New("identity tokens need an audience, and either the email or the subject of the sender: anybody can get a token for any audience")
	}
	if len(o.Issuers) == 0 {
		o.Issuers = []string{"https://accounts.google.com", "accounts.google.com"}
	}
	if o.JWKS == "" {
		o.JWKS = googleKeys
	}
	if o.Client == nil {
		o.Client = &http.Client{Timeout: 5 * time.Second}
	}
	return &oidc{o: o}, nil
}

// Check implements Auth.
func (o *oidc) Check(ctx context.Context, r Request) error {
	text, ok := bearerToken(r.Headers)
	if !ok {
		return ErrUnauthenticated
	}
	token, err := jwt.ParseSigned(text, []jose.SignatureAlgorithm{jose.RS256, jose.ES256})
	if err != nil || len(token.Headers) != 1 || token.Headers[0].KeyID == "" {
		return ErrUnauthenticated
	}
	key, err := o.key(ctx, token.Headers[0].KeyID, r.At)
	if err != nil {
		return err
	}
	var std jwt.Claims
	var own struct {
		Email    string `json:"email"`
		Verified bool   `json:"email_verified"`
	}
	if token.Claims(key, &std, &own) != nil {
		return ErrUnauthenticated
	}
	if std.Expiry == nil || !slices.Contains(o.o.Issuers, std.Issuer) ||
		std.ValidateWithLeeway(jwt.Expected{AnyAudience: jwt.Audience{o.o.Audience}, Time: r.At}, time.Minute) != nil {
		return ErrUnauthenticated
	}
	if o.o.Email != "" && (own.Email != o.o.Email || !own.Verified) || o.o.Subject != "" && std.Subject != o.o.Subject {
		return ErrUnauthenticated
	}
	return nil
}

// key finds a key of the issuer; one that is not known makes us look again, at most once a minute.
func (o *oidc) key(ctx context.Context, id string, now time.Time) (any, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if found := o.keys.Key(id); len(found) == 1 && now.Sub(o.at) < keysFor {
		return found[0].Key, nil
	}
	if now.Sub(o.last) < refetch && !o.at.IsZero() {
		if found := o.keys.Key(id); len(found) == 1 {
			return found[0].Key, nil
		}
		return nil, ErrUnauthenticated
	}
	o.last = now
	keys, err := o.fetch(ctx)
	if err != nil {
		return nil, err
	}
	o.keys, o.at = keys, now
	if found := keys.Key(id); len(found) == 1 && found[0].IsPublic() {
		return found[0].Key, nil
	}
	return nil, ErrUnauthenticated
}

func (o *oidc) fetch(ctx context.Context) (jose.JSONWebKeySet, error) {
	var keys jose.JSONWebKeySet
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, o.o.JWKS, nil)
	if err != nil {
		return keys, fmt.Errorf("the address of the issuer's keys: %w", err)
	}
	res, err := o.o.Client.Do(req)
	if err != nil {
		return keys, fmt.Errorf("the issuer's keys could not be fetched: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return keys, fmt.Errorf("the issuer's keys were answered %d", res.StatusCode)
	}
	if err := json.NewDecoder(io.LimitReader(res.Body, maxKeys)).Decode(&keys); err != nil {
		return keys, errors.New("the issuer's keys are no key set")
	}
	return keys, nil
}
