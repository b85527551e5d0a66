package sandbox

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// GoogleAccountCall is one call of the Gemini API by whoever holds a credentials file: he gets a token for it, which Google
// gives for an hour, and calls with that.
func GoogleAccountCall(ctx context.Context, base, secret string, tokens int) (*http.Request, error) {
	token, err := googleTokenFor(ctx, base, secret)
	if err != nil {
		return nil, err
	}
	r, err := GeminiCall(ctx, base, "", tokens)
	if err == nil {
		r.Header.Del("X-Goog-Api-Key")
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return r, err
}

func googleTokenFor(ctx context.Context, base, secret string) (string, error) {
	assertion, err := googleAssertion(secret)
	if err != nil {
		return "", err
	}
	form := url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}, "assertion": {assertion}}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(base, "/")+"/token", strings.NewReader(form.Encode()))
	if err != nil {
		return "", errors.New("the address of the token endpoint is not a URL")
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if actor, is := ctx.Value(actorKey{}).(string); is {
		r.Header.Set(ActorHeader, actor)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", fmt.Errorf("no token: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	var got struct {
		Token string `json:"access_token"`
		Error string `json:"error_description"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(nil, res.Body, bodyLimit)).Decode(&got); err != nil || got.Token == "" {
		return "", fmt.Errorf("no token: %d %s", res.StatusCode, got.Error)
	}
	return got.Token, nil
}

// credentialsFile is what the holder of a service account's key has.
type credentialsFile struct {
	Kid   string `json:"private_key_id"`
	Key   string `json:"private_key"`
	Email string `json:"client_email"`
}

func readCredentials(secret string) (file credentialsFile, private *rsa.PrivateKey, err error) {
	if err := json.Unmarshal([]byte(secret), &file); err != nil {
		return file, nil, errors.New("this is no credentials file")
	}
	block, _ := pem.Decode([]byte(file.Key))
	if block == nil {
		return file, nil, errors.New("the credentials file holds no key")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	private, isRSA := parsed.(*rsa.PrivateKey)
	if err != nil || !isRSA {
		return file, nil, errors.New("the credentials file holds no RSA key")
	}
	return file, private, nil
}

// holderOf is the key whose value this is; of a pair that was made elsewhere the world knows only the public half.
func (w *World) holderOf(value string) *Key {
	if k := w.values[value]; k != nil || !strings.HasPrefix(value, "{") {
		return k
	}
	file, private, err := readCredentials(value)
	if err != nil || w.google.accounts[file.Email] == nil {
		return nil
	}
	for _, k := range w.google.accounts[file.Email].keys {
		if k.id == file.Kid && k.public.Equal(&private.PublicKey) {
			return &k.Key
		}
	}
	return nil
}

func googleAssertion(secret string) (string, error) {
	file, private, err := readCredentials(secret)
	if err != nil {
		return "", err
	}
	now := time.Now().Unix()
	part := func(v any) string {
		text, _ := json.Marshal(v) // maps of strings and numbers always encode
		return base64.RawURLEncoding.EncodeToString(text)
	}
	signed := part(map[string]string{"alg": "RS256", "typ": "JWT", "kid": file.Kid}) + "." + part(map[string]any{
		"iss": file.Email, "aud": "https://oauth2.googleapis.com/token", "scope": "https://www.googleapis.com/auth/generative-language", "iat": now, "exp": now + 3600,
	})
	sum := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(rand.Reader, private, crypto.SHA256, sum[:])
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature), err
}
