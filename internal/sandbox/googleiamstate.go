package sandbox

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // ids of keys look like this; nothing is protected by it
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"slices"
	"time"
)

// googleAccount is a service account with the keys that people manage.
type googleAccount struct {
	email, uniqueID string
	project         *googleProject
	disabled        bool
	keys            []*accountKey
	events          []authEvent
}

// accountKey is one key: Google keeps the public half alone.
type accountKey struct {
	Key
	id          string
	certificate []byte // PEM
	public      *rsa.PublicKey
	origin      string // GOOGLE_PROVIDED or USER_PROVIDED
	disabled    bool
	until       time.Time
}

type authEvent struct {
	at  time.Time
	key string
}

// googleToken is an access token that was made from a key. It lives on when the key is gone.
type googleToken struct {
	account *googleAccount
	key     string
	until   time.Time
}

const tokenLife = time.Hour

// NewGoogleAccountKey makes a service account, where there is none of that name, with one key as Google makes them. The key's
// value is the whole credentials file.
func (w *World) NewGoogleAccountKey(project, name string) Key {
	w.mu.Lock()
	defer w.mu.Unlock()
	a := w.googleAccountLocked(project, name)
	private, certificate := googlePair()
	k := w.addAccountKeyLocked(a, certificate, &private.PublicKey, "GOOGLE_PROVIDED", w.Now().AddDate(7900, 0, 0))
	k.secret = googleCredentials(a, k.id, private)
	w.values[k.secret] = &k.Key
	return k.Key
}

func (w *World) googleAccountLocked(project, name string) *googleAccount {
	p := w.googleProjectLocked(project)
	email := name + "@" + p.id + ".iam.gserviceaccount.com"
	if a, known := w.google.accounts[email]; known {
		return a
	}
	a := &googleAccount{email: email, uniqueID: "1" + randomText("0123456789", 20), project: p}
	w.google.accounts[email] = a
	return a
}

func (w *World) addAccountKeyLocked(a *googleAccount, certificate []byte, public *rsa.PublicKey, origin string, until time.Time) *accountKey {
	sum := sha1.Sum(append([]byte(randomUUID()), certificate...)) //nolint:gosec // as above
	id := hex.EncodeToString(sum[:])
	k := &accountKey{id: id, certificate: certificate, public: public, origin: origin, until: until, Key: Key{
		Provider: "gemini", Project: a.project.id, ID: a.email + "/" + id, UID: a.uniqueID, Name: a.email, createdAt: w.Now(),
	}}
	a.keys = append(a.keys, k)
	return k
}

func googlePair() (*rsa.PrivateKey, []byte) {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err) // the system has no randomness: nothing works then
	}
	shape := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: randomText("0123456789", 21)}, NotBefore: time.Now(), NotAfter: time.Now().AddDate(10, 0, 0)}
	der, err := x509.CreateCertificate(rand.Reader, shape, shape, &private.PublicKey, private)
	if err != nil {
		panic(err) // as above
	}
	return private, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// googleCredentials is the file that Google gives once.
func googleCredentials(a *googleAccount, id string, private *rsa.PrivateKey) string {
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return ""
	}
	text, _ := json.MarshalIndent(map[string]string{ // maps of strings always encode
		"type": "service_account", "project_id": a.project.id, "private_key_id": id, "client_email": a.email, "client_id": a.uniqueID,
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), "token_uri": "https://oauth2.googleapis.com/token",
	}, "", "  ")
	return string(text)
}

// living are the keys that were not deleted.
func (a *googleAccount) living() []*accountKey {
	return slices.DeleteFunc(slices.Clone(a.keys), func(k *accountKey) bool { return !k.deletedAt.IsZero() })
}

func (a *googleAccount) view() map[string]any {
	return map[string]any{
		"name": "projects/" + a.project.id + "/serviceAccounts/" + a.email, "projectId": a.project.id, "uniqueId": a.uniqueID, "email": a.email,
		"oauth2ClientId": a.uniqueID, "etag": "MDEwMjE5MjA=", "disabled": a.disabled,
	}
}

func (a *googleAccount) keyView(k *accountKey) map[string]any {
	out := map[string]any{
		"name": "projects/" + a.project.id + "/serviceAccounts/" + a.email + "/keys/" + k.id, "keyAlgorithm": "KEY_ALG_RSA_2048", "keyOrigin": k.origin,
		"keyType": "USER_MANAGED", "validAfterTime": k.createdAt.UTC().Format(time.RFC3339), "validBeforeTime": k.until.UTC().Format(time.RFC3339),
	}
	if k.disabled {
		out["disabled"], out["disableReason"] = true, "SERVICE_ACCOUNT_KEY_DISABLE_REASON_USER_INITIATED"
	}
	return out
}
