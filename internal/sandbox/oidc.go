package sandbox

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// OIDCUser is somebody whom the sandbox's sign-on service knows.
type OIDCUser struct {
	Subject, Name string
	Groups        []string
}

// OIDC is a sign-on service that refuses what a real one refuses: an address to go back to that is not registered, a code used
// twice or by another client, a verifier that does not belong to the challenge, a secret that is wrong.
type OIDC struct {
	ClientID, ClientSecret string
	Redirects              []string
	Users                  []OIDCUser
	Issuer                 string // set before the first request
	Now                    func() time.Time
	Spoil                  func(claims map[string]any) // a test's mischief with a token before it is signed

	mu    sync.Mutex
	codes map[string]oidcGrant
	key   ed25519.PrivateKey
	other ed25519.PrivateKey // published by nobody
	Forge bool               // signs with a key that is not published
}

type oidcGrant struct {
	user                       OIDCUser
	redirect, nonce, challenge string
	until                      time.Time
}

// NewOIDC makes a service with one client and a key of its own.
func NewOIDC(redirects ...string) *OIDC {
	_, key, _ := ed25519.GenerateKey(rand.Reader)   // never returns an error since Go 1.24
	_, other, _ := ed25519.GenerateKey(rand.Reader) // likewise
	return &OIDC{
		ClientID: "tourniquet", ClientSecret: rand.Text(), Redirects: redirects, Now: time.Now, codes: map[string]oidcGrant{}, key: key, other: other,
		Users: []OIDCUser{{"00u-ana", "Ana Reyes", []string{"security"}}, {"00u-vic", "Vic Okoro", []string{"everybody"}}, {"00u-pat", "Pat Lind", []string{"platform"}}},
	}
}

const oidcKey = "sandbox-1"

// Handler serves discovery, the page on which people choose who they are, tokens and keys.
func (o *OIDC) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		oidcSay(w, http.StatusOK, map[string]any{
			"issuer": o.Issuer, "authorization_endpoint": o.Issuer + "/authorize", "token_endpoint": o.Issuer + "/token", "jwks_uri": o.Issuer + "/keys",
			"response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"}, "id_token_signing_alg_values_supported": []string{"EdDSA"},
			"code_challenge_methods_supported": []string{"S256"}, "token_endpoint_auth_methods_supported": []string{"client_secret_basic", "client_secret_post"},
		})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		oidcSay(w, http.StatusOK, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: o.key.Public(), KeyID: oidcKey, Algorithm: "EdDSA", Use: "sig"}}})
	})
	mux.HandleFunc("GET /authorize", o.authorize)
	mux.HandleFunc("POST /authorize", o.consent)
	mux.HandleFunc("POST /token", o.token)
	return mux
}

// asks checks what a client asks for. What it refuses here never goes back to the client: the address may be a thief's.
func (o *OIDC) asks(q url.Values) string {
	switch {
	case q.Get("client_id") != o.ClientID:
		return "unknown client"
	case !slices.Contains(o.Redirects, q.Get("redirect_uri")):
		return "redirect_uri is not registered"
	case q.Get("response_type") != "code":
		return "only code is answered"
	case q.Get("code_challenge_method") != "S256" || len(q.Get("code_challenge")) != 43:
		return "a code challenge of S256 is needed"
	case q.Get("state") == "" || q.Get("nonce") == "":
		return "state and nonce are needed"
	}
	return ""
}

func (o *OIDC) authorize(w http.ResponseWriter, r *http.Request) {
	if why := o.asks(r.URL.Query()); why != "" {
		http.Error(w, why, http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = fmt.Fprintf(w, `<!doctype html><html lang="en"><title>Sandbox sign-on</title><main><h1>Who are you?</h1><form method="post" action="/authorize?%s">`, html.EscapeString(r.URL.RawQuery))
	for _, u := range o.Users {
		_, _ = fmt.Fprintf(w, `<p><button name="as" value="%s">%s</button></p>`, html.EscapeString(u.Subject), html.EscapeString(u.Name))
	}
	_, _ = fmt.Fprint(w, `<p><button name="as" value="">Nobody: refuse</button></p></form></main></html>`)
}

func (o *OIDC) consent(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if why := o.asks(q); why != "" {
		http.Error(w, why, http.StatusBadRequest)
		return
	}
	back := url.Values{"state": {q.Get("state")}}
	i := slices.IndexFunc(o.Users, func(u OIDCUser) bool { return u.Subject == r.PostFormValue("as") })
	if i < 0 {
		back.Set("error", "access_denied")
	} else {
		code := rand.Text()
		back.Set("code", code)
		o.mu.Lock()
		o.codes[code] = oidcGrant{o.Users[i], q.Get("redirect_uri"), q.Get("nonce"), q.Get("code_challenge"), o.Now().Add(time.Minute)}
		o.mu.Unlock()
	}
	http.Redirect(w, r, q.Get("redirect_uri")+"?"+back.Encode(), http.StatusSeeOther)
}

func (o *OIDC) token(w http.ResponseWriter, r *http.Request) {
	id, secret, basic := r.BasicAuth()
	if !basic {
		id, secret = r.PostFormValue("client_id"), r.PostFormValue("client_secret")
	}
	if id != o.ClientID || secret != o.ClientSecret {
		oidcSay(w, http.StatusUnauthorized, map[string]string{"error": "invalid_client"})
		return
	}
	o.mu.Lock()
	g, ok := o.codes[r.PostFormValue("code")]
	delete(o.codes, r.PostFormValue("code"))
	o.mu.Unlock()
	sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	if !ok || r.PostFormValue("grant_type") != "authorization_code" || r.PostFormValue("redirect_uri") != g.redirect || !o.Now().Before(g.until) ||
		base64.RawURLEncoding.EncodeToString(sum[:]) != g.challenge {
		oidcSay(w, http.StatusBadRequest, map[string]string{"error": "invalid_grant"})
		return
	}
	token, err := o.sign(g)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	oidcSay(w, http.StatusOK, map[string]any{"access_token": rand.Text(), "token_type": "Bearer", "expires_in": 300, "id_token": token})
}

func (o *OIDC) sign(g oidcGrant) (string, error) {
	now := o.Now()
	claims := map[string]any{
		"iss": o.Issuer, "sub": g.user.Subject, "aud": o.ClientID, "exp": now.Add(5 * time.Minute).Unix(), "iat": now.Unix(), "nonce": g.nonce,
		"name": g.user.Name, "groups": g.user.Groups,
	}
	if o.Spoil != nil {
		o.Spoil(claims)
	}
	key := o.key
	if o.Forge {
		key = o.other
	}
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.EdDSA, Key: jose.JSONWebKey{Key: key, KeyID: oidcKey}}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return "", err
	}
	body, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	signed, err := s.Sign(body)
	if err != nil {
		return "", err
	}
	return signed.CompactSerialize()
}

func oidcSay(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}
