package gemini

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
)

const (
	tokenAudience = "https://oauth2.googleapis.com/token" //nolint:gosec // an address
	tokenLife     = 5 * time.Minute
)

// probeAccount asks Google for a token with the key, which changes nothing and costs nothing; the token is thrown away.
// The address is Google's and never the one that the leaked file names.
func (p *Provider) probeAccount(ctx context.Context, c credentials, private *rsa.PrivateKey) (keys.Probed, error) {
	assertion, err := p.assertion(c, private)
	if err != nil {
		return keys.Probed{}, keys.Permanent(errors.New("the leaked key cannot sign anything"))
	}
	form := url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}, "assertion": {assertion}}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, p.cfg.Endpoints.Token, strings.NewReader(form.Encode()))
	if err != nil {
		return keys.Probed{}, keys.Permanent(errors.New("the address of Google's tokens in the configuration is not a URL"))
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := p.plain.Do(r)
	if err != nil {
		if ctx.Err() != nil {
			return keys.Probed{}, ctx.Err()
		}
		return keys.Probed{State: keys.ProbeUnknown, Detail: "no answer: " + reasonOfNetwork(err)}, nil
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return keys.Probed{State: keys.ProbeUnknown, Detail: fmt.Sprintf("%d, but the answer broke off", res.StatusCode)}, nil
	}
	return judgeToken(res.StatusCode, body), nil
}

// assertion is a token that says who asks, signed with the leaked key.
func (p *Provider) assertion(c credentials, private *rsa.PrivateKey) (string, error) {
	now := p.cfg.Now()
	head, err := json.Marshal(map[string]string{"alg": "RS256", "typ": "JWT", "kid": c.KeyID})
	if err != nil {
		return "", err
	}
	claims, err := json.Marshal(map[string]any{
		"iss": c.Email, "scope": "https://www.googleapis.com/auth/userinfo.email", "aud": tokenAudience, "iat": now.Unix(), "exp": now.Add(tokenLife).Unix(),
	})
	if err != nil {
		return "", err
	}
	signed := base64.RawURLEncoding.EncodeToString(head) + "." + base64.RawURLEncoding.EncodeToString(claims)
	sum := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(rand.Reader, private, crypto.SHA256, sum[:])
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature), err
}

// endings are what Google's descriptions of a refused grant hold when it is about the key or its account.
var endings = map[string]string{
	"invalid jwt signature": "the key is disabled, deleted or was never valid",
	"account not found":     "the service account is gone",
	"disabled":              "the service account is disabled, the key is not deleted",
}

func judgeToken(status int, body []byte) keys.Probed {
	var answer struct {
		Token       string `json:"access_token"`
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	valid := json.Unmarshal(body, &answer) == nil
	if status == http.StatusOK && valid && answer.Token != "" {
		return keys.Probed{State: keys.ProbeWorking, Detail: "200, Google gives a token for it"}
	}
	if (status == http.StatusBadRequest || status == http.StatusUnauthorized) && answer.Error == "invalid_grant" {
		for words, meaning := range endings {
			if strings.Contains(strings.ToLower(answer.Description), words) {
				return keys.Probed{State: keys.ProbeRefused, Detail: fmt.Sprintf("%d invalid_grant (%s); tokens made before may live for an hour", status, meaning)}
			}
		}
	}
	detail := fmt.Sprintf("%d", status)
	if valid && len(answer.Error) < 60 {
		detail = strings.TrimSpace(detail + " " + answer.Error)
	}
	return keys.Probed{State: keys.ProbeUnknown, Detail: scrubbed{errors.New(detail)}.Error()}
}
