package sandbox

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

var iamPath = regexp.MustCompile(`^/v1/projects/([^/]+)/serviceAccounts(?:/([^/:]+)(:enable|:disable)?)?(?:/keys(?:/([0-9a-f]+)(:enable|:disable)?|(:upload))?)?$`)

// googleIAM is the part of IAM v1 that concerns service accounts and their keys.
func (w *World) googleIAM(c *call) reply {
	m := iamPath.FindStringSubmatch(c.r.URL.Path)
	if m == nil {
		return googleError(http.StatusNotFound, "Method not found.", "")
	}
	project, email, keys := m[1], m[2], strings.Contains(c.r.URL.Path, "/keys")
	if email == "" {
		return w.listAccounts(c, project)
	}
	a := w.google.accounts[email]
	if a == nil || project != "-" && w.google.projects[project] != a.project {
		return googleError(http.StatusNotFound, "Unknown service account", "")
	}
	if !keys {
		return w.oneAccount(c, a, m[3])
	}
	if m[4] == "" {
		return w.accountKeys(c, a, m[6])
	}
	i := slices.IndexFunc(a.living(), func(k *accountKey) bool { return k.id == m[4] })
	if i < 0 {
		return googleError(http.StatusNotFound, "Service account key does not exist.", "")
	}
	k := a.living()[i]
	c.entry.Key = k.ID
	return w.oneAccountKey(c, a, k, m[5])
}

func (w *World) listAccounts(c *call, project string) reply {
	p := w.google.projects[project]
	if p == nil || c.r.Method != http.MethodGet {
		return googleError(http.StatusForbidden, "Permission 'iam.serviceAccounts.list' denied on resource (or it may not exist).", "IAM_PERMISSION_DENIED")
	}
	query := c.r.URL.Query()
	if refused := knownQuery(query, "pageSize", "pageToken"); refused != nil {
		return *refused
	}
	var mails []string
	for mail, a := range w.google.accounts {
		if a.project == p {
			mails = append(mails, mail)
		}
	}
	slices.Sort(mails)
	from, to, next := page(len(mails), query.Get("pageSize"), query.Get("pageToken"), 100)
	if from < 0 {
		return googleError(http.StatusBadRequest, "The page token is not valid.", "")
	}
	views := []any{}
	for _, mail := range mails[from:to] {
		views = append(views, w.google.accounts[mail].view())
	}
	c.entry.Effect = EffectObserve
	return ok(map[string]any{"accounts": views, "nextPageToken": next})
}

func (w *World) oneAccount(c *call, a *googleAccount, verb string) reply {
	if c.r.Method == http.MethodGet && verb == "" {
		c.entry.Effect = EffectObserve
		return ok(a.view())
	}
	if refused := decodeGoogle(c.body, &struct{}{}); refused != nil || c.r.Method != http.MethodPost || verb == "" {
		return googleError(http.StatusBadRequest, "Invalid JSON payload received.", "")
	}
	c.entry.Effect = EffectUndoable
	a.disabled = verb == ":disable"
	return ok(map[string]any{})
}

// accountKeys lists keys, or takes the public half of a new one.
func (w *World) accountKeys(c *call, a *googleAccount, verb string) reply {
	if verb == ":upload" && c.r.Method == http.MethodPost {
		return w.uploadKey(c, a)
	}
	if refused := knownQuery(c.r.URL.Query(), "keyTypes"); refused != nil || c.r.Method != http.MethodGet {
		return googleError(http.StatusBadRequest, "Invalid request.", "")
	}
	views := []any{}
	for _, k := range a.living() {
		views = append(views, a.keyView(k))
	}
	c.entry.Effect = EffectObserve
	return ok(map[string]any{"keys": views})
}

func (w *World) uploadKey(c *call, a *googleAccount) reply {
	var body struct {
		PublicKeyData string `json:"publicKeyData"`
	}
	if refused := decodeGoogle(c.body, &body); refused != nil {
		return *refused
	}
	text, err := base64.StdEncoding.DecodeString(body.PublicKeyData)
	block, _ := pem.Decode(text)
	if err != nil || block == nil {
		return googleError(http.StatusBadRequest, "Invalid public key data.", "")
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return googleError(http.StatusBadRequest, "Invalid public key data.", "")
	}
	public, isRSA := cert.PublicKey.(*rsa.PublicKey)
	if !isRSA || public.N.BitLen() < 1024 || !w.Now().Before(cert.NotAfter) {
		return googleError(http.StatusBadRequest, "Invalid public key data.", "")
	}
	if len(a.living()) >= 10 {
		return preconditionFailed("Precondition check failed.")
	}
	k := w.addAccountKeyLocked(a, text, public, "USER_PROVIDED", cert.NotAfter)
	c.entry.Key, c.entry.Effect = k.ID, EffectUndoable
	return ok(a.keyView(k))
}

func (w *World) oneAccountKey(c *call, a *googleAccount, k *accountKey, verb string) reply {
	switch c.r.Method + verb {
	case http.MethodGet:
		query := c.r.URL.Query()
		if refused := knownQuery(query, "publicKeyType"); refused != nil {
			return *refused
		}
		c.entry.Effect = EffectObserve
		view := a.keyView(k)
		if query.Get("publicKeyType") == "TYPE_X509_PEM_FILE" {
			view["publicKeyData"] = base64.StdEncoding.EncodeToString(k.certificate)
		}
		return ok(view)
	case http.MethodDelete:
		c.entry.Effect = EffectFinal
		k.deletedAt = w.Now()
		return ok(map[string]any{})
	case http.MethodPost + ":disable", http.MethodPost + ":enable":
		if refused := decodeGoogle(c.body, &struct {
			Reason   string `json:"serviceAccountKeyDisableReason"`
			Extended string `json:"extendedStatusMessage"`
		}{}); refused != nil {
			return *refused
		}
		c.entry.Effect = EffectUndoable
		k.disabled = verb == ":disable"
		return ok(map[string]any{})
	}
	return googleError(http.StatusNotFound, "Method not found.", "")
}

// refusedGrant is an error of the token endpoint, which has a shape of its own.
func refusedGrant(description string) reply {
	return reply{status: http.StatusBadRequest, body: map[string]string{"error": "invalid_grant", "error_description": description}}
}

// googleToken gives an access token for an assertion that a living key of an enabled account signed. How Google words the
// refusal for a disabled account is published nowhere.
func (w *World) googleToken(c *call) reply {
	form, err := url.ParseQuery(string(c.body))
	if err != nil || c.r.Method != http.MethodPost || form.Get("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer" {
		return reply{status: http.StatusBadRequest, body: map[string]string{"error": "unsupported_grant_type", "error_description": "Invalid grant_type: "}}
	}
	parts := strings.Split(form.Get("assertion"), ".")
	if len(parts) != 3 {
		return refusedGrant("Bad Request")
	}
	var head struct{ Alg, Kid string }
	var claims struct {
		Iss, Aud, Scope string
		Iat, Exp        int64
	}
	signature, bad := base64.RawURLEncoding.DecodeString(parts[2])
	if bad != nil || !jwtPart(parts[0], &head) || !jwtPart(parts[1], &claims) || head.Alg != "RS256" {
		return refusedGrant("Bad Request")
	}
	a := w.google.accounts[claims.Iss]
	now := w.Now()
	switch {
	case a == nil:
		return refusedGrant("Invalid grant: account not found")
	case claims.Exp-claims.Iat > 3600 || now.Unix() < claims.Iat-300 || now.Unix() > claims.Exp || claims.Aud != "https://oauth2.googleapis.com/token":
		return refusedGrant("Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim.")
	case a.disabled:
		return refusedGrant("Account has been disabled.")
	}
	k := a.signer(parts[0]+"."+parts[1], signature, head.Kid)
	if k != nil {
		c.entry.Key = k.ID
	}
	if k == nil || k.disabled || w.dead(&k.Key) || !now.Before(k.until) {
		return refusedGrant("Invalid JWT Signature.")
	}
	token := "ya29." + randomText(fullAlphabet, 120)
	w.google.tokens[token] = googleToken{a, k.ID, now.Add(tokenLife)}
	a.events = append(a.events, authEvent{now, k.id})
	c.entry.Effect = EffectObserve
	return ok(map[string]any{"access_token": token, "expires_in": 3599, "token_type": "Bearer"})
}

func jwtPart(text string, into any) bool {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	return err == nil && json.Unmarshal(raw, into) == nil
}

// signer is the key of the account whose private half signed text.
func (a *googleAccount) signer(text string, signature []byte, kid string) *accountKey {
	sum := sha256.Sum256([]byte(text))
	for _, k := range a.keys {
		if (kid == "" || kid == k.id) && rsa.VerifyPKCS1v15(k.public, crypto.SHA256, sum[:], signature) == nil {
			return k
		}
	}
	return nil
}

// geminiByToken is a model call by a service account.
func (w *World) geminiByToken(c *call, bearer string) reply {
	t, known := w.google.tokens[bearer]
	if !known || !w.Now().Before(t.until) {
		return googleError(http.StatusUnauthorized, "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential.", "ACCESS_TOKEN_TYPE_UNSUPPORTED")
	}
	c.entry.Key = t.key
	if t.account.disabled {
		return googleError(http.StatusUnauthorized, "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential.", "ACCOUNT_STATE_INVALID")
	}
	_, answer := w.geminiCall(c, func(*http.Request, string) *reply { return t.account.project.off() })
	return answer
}

const authentications = "iam.googleapis.com/service_account/key/authn_events_count"

// authentications is one series for each key of the account, points by the minute.
func (w *World) authentications(p *googleProject, start, end time.Time, f monitoringTerms) []any {
	out := []any{}
	for _, a := range w.google.accounts {
		if a.project != p || f.unique != "" && f.unique != a.uniqueID {
			continue
		}
		for _, k := range a.keys {
			minutes := map[time.Time]int64{}
			for _, e := range a.events {
				if e.key == k.id && (f.key == "" || f.key == k.id) && !e.at.Before(start) && !e.at.After(end) {
					minutes[e.at.UTC().Truncate(time.Minute)]++
				}
			}
			if len(minutes) > 0 {
				out = append(out, map[string]any{
					"metric":     map[string]any{"type": authentications, "labels": map[string]string{"key_id": k.id}},
					"resource":   map[string]any{"type": "iam_service_account", "labels": map[string]string{"project_id": p.id, "unique_id": a.uniqueID}},
					"metricKind": "DELTA", "valueType": "INT64", "points": points(minutes),
				})
			}
		}
	}
	return out
}
