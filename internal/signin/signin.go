package signin

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// Options of a provider.
type Options struct {
	Name         string // on the button; empty: the issuer's host
	Issuer       string
	ClientID     string
	ClientSecret string
	Scopes       []string // beside openid and profile
	GroupsClaim  string   // empty: groups
	RedirectURL  string   // ours, as it is registered at the provider
	Client       *http.Client
	Now          func() time.Time
	// Box seals an attempt into the cookie of the browser that began it: any process that shares its key may finish it.
	Box interface {
		Seal(plain []byte) ([]byte, error)
		Open(sealed []byte) ([]byte, error)
	}
	// SeenBefore remembers a key until a time, for all processes, and says whether it was remembered already.
	SeenBefore func(ctx context.Context, key string, until time.Time) (bool, error)
}

// Identity is what the provider says of somebody.
type Identity struct {
	Subject string
	Name    string // shown, believed for nothing
	Groups  []string
}

// Provider signs people in. It looks at its issuer when it is first needed, so that we start while that is away.
type Provider struct {
	o     Options
	mu    sync.Mutex
	found *oidc.Provider
}

// attempt is one way to the provider and back. It lies sealed in the browser and nowhere here, so strangers who begin and
// never come back cost nothing.
type attempt struct {
	State, Nonce, Verifier, Next string
	Until                        time.Time
}

const (
	backWithin  = 10 * time.Minute
	maxSubject  = 255 // OpenID Connect Core, section 2
	maxNext     = 1_024
	maxSealed   = 4_000 // browsers keep no more in a cookie
	askedWithin = 15 * time.Second
)

// New makes a provider; it asks nobody yet.
func New(o Options) (*Provider, error) {
	u, err := url.Parse(o.Issuer)
	if err != nil || u.Host == "" || o.ClientID == "" || o.RedirectURL == "" {
		return nil, errors.New("signing in by OIDC needs an issuer, a client id and our own address")
	}
	if o.Box == nil || o.SeenBefore == nil {
		return nil, errors.New("signing in by OIDC needs a box for attempts and a memory for those that were used")
	}
	if o.Name == "" {
		o.Name = u.Host
	}
	if o.GroupsClaim == "" {
		o.GroupsClaim = "groups"
	}
	if o.Client == nil {
		o.Client = &http.Client{Timeout: askedWithin, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Provider{o: o}, nil
}

// Name is what people call the provider.
func (p *Provider) Name() string { return p.o.Name }

// Begin gives the provider's address to send a browser to, and what that browser must show when it comes back.
func (p *Provider) Begin(ctx context.Context, next string) (address, browser string, err error) {
	c, _, err := p.config(ctx)
	if err != nil {
		return "", "", err
	}
	if len(next) > maxNext {
		next = "/"
	}
	a := attempt{State: rand.Text(), Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier(), Next: next, Until: p.o.Now().Add(backWithin)}
	plain, err := json.Marshal(a)
	if err != nil {
		return "", "", fmt.Errorf("the attempt to sign in: %w", err)
	}
	sealed, err := p.o.Box.Seal(plain)
	if err != nil {
		return "", "", fmt.Errorf("the attempt to sign in: %w", err)
	}
	return c.AuthCodeURL(a.State, oidc.Nonce(a.Nonce), oauth2.S256ChallengeOption(a.Verifier)), base64.RawURLEncoding.EncodeToString(sealed), nil
}

// Finish takes the answer that the provider sent a browser back with. A state works once, and only in the browser that began.
func (p *Provider) Finish(ctx context.Context, answer url.Values, browser string) (who Identity, next string, err error) {
	a, err := p.begun(answer.Get("state"), browser)
	if err != nil {
		return who, "", err
	}
	if refused := answer.Get("error"); refused != "" {
		return who, "", fmt.Errorf("the provider refused: %.100q", refused)
	}
	c, verifier, err := p.config(ctx)
	if err != nil {
		return who, "", err
	}
	ctx = oidc.ClientContext(ctx, p.o.Client)
	got, err := c.Exchange(ctx, answer.Get("code"), oauth2.VerifierOption(a.Verifier))
	if err != nil {
		return who, "", errors.New("the provider did not take the code that it gave") // its own words may hold the request
	}
	raw, ok := got.Extra("id_token").(string)
	if !ok {
		return who, "", errors.New("the provider gave no ID token")
	}
	token, err := verifier.Verify(ctx, raw)
	if err != nil {
		return who, "", errors.New("the ID token does not hold: its signature, issuer, audience or time is wrong")
	}
	if subtle.ConstantTimeCompare([]byte(token.Nonce), []byte(a.Nonce)) != 1 {
		return who, "", errors.New("the ID token was made for another attempt to sign in")
	}
	if used, err := p.o.SeenBefore(ctx, "sign-in "+a.State, a.Until); err != nil || used {
		return who, "", errors.Join(errStale, err)
	}
	who, err = p.identity(token)
	return who, a.Next, err
}

var errStale = errors.New("this attempt to sign in was not begun in this browser, was used already, or is too old; begin again")

// begun opens what the browser brings back and holds it against the answer's state.
func (p *Provider) begun(state, browser string) (a attempt, err error) {
	if len(browser) > maxSealed {
		return a, errStale
	}
	sealed, err := base64.RawURLEncoding.DecodeString(browser)
	if err != nil {
		return a, errStale
	}
	plain, err := p.o.Box.Open(sealed)
	if err != nil || json.Unmarshal(plain, &a) != nil || !p.o.Now().Before(a.Until) || subtle.ConstantTimeCompare([]byte(a.State), []byte(state)) != 1 {
		return attempt{}, errStale
	}
	return a, nil
}

func (p *Provider) identity(token *oidc.IDToken) (Identity, error) {
	claims := map[string]any{}
	if err := token.Claims(&claims); err != nil {
		return Identity{}, errors.New("the claims of the ID token cannot be read")
	}
	if token.Subject == "" || len(token.Subject) > maxSubject {
		return Identity{}, errors.New("the ID token names nobody")
	}
	who := Identity{Subject: token.Subject}
	for _, claim := range []string{"name", "preferred_username"} {
		if s, ok := claims[claim].(string); ok && who.Name == "" {
			who.Name = strings.TrimSpace(s)
		}
	}
	switch v := claims[p.o.GroupsClaim].(type) {
	case string:
		who.Groups = []string{v}
	case []any:
		for _, g := range v {
			if s, ok := g.(string); ok {
				who.Groups = append(who.Groups, s)
			}
		}
	}
	return who, nil
}

// config looks at the issuer, once.
func (p *Provider) config(ctx context.Context) (*oauth2.Config, *oidc.IDTokenVerifier, error) {
	p.mu.Lock()
	found := p.found
	p.mu.Unlock()
	if found == nil {
		// The keys are fetched again later with this context, which must outlive the request.
		var err error
		found, err = oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), p.o.Client), p.o.Issuer)
		if err != nil {
			return nil, nil, fmt.Errorf("the provider %q does not answer as it should: %w", p.o.Issuer, err)
		}
		p.mu.Lock()
		p.found = found
		p.mu.Unlock()
	}
	c := &oauth2.Config{
		ClientID: p.o.ClientID, ClientSecret: p.o.ClientSecret, Endpoint: found.Endpoint(), RedirectURL: p.o.RedirectURL,
		Scopes: append([]string{oidc.ScopeOpenID, "profile"}, p.o.Scopes...),
	}
	return c, found.Verifier(&oidc.Config{ClientID: p.o.ClientID, Now: p.o.Now}), nil
}
