package sources_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/tourniquet-ir/tourniquet/integrations/sources"
)

const topic = "arn:aws:sns:eu-central-1:123456789012:alerts"

// amazon signs as SNS does and hands out its certificate.
type amazon struct {
	key     *rsa.PrivateKey
	pem     []byte
	fetches atomic.Int64
	down    atomic.Bool
}

func newAmazon(t *testing.T, bits int) *amazon {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "sns.amazonaws.com"}, NotBefore: arrival.Add(-time.Hour), NotAfter: arrival.Add(30 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return &amazon{key: key, pem: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})}
}

// RoundTrip stands in for the network: only Amazon's own address answers.
func (a *amazon) RoundTrip(r *http.Request) (*http.Response, error) {
	a.fetches.Add(1)
	if a.down.Load() {
		return nil, errors.New("no route")
	}
	return &http.Response{StatusCode: 200, Body: io.NopCloser(bytes.NewReader(a.pem)), Request: r}, nil
}

// message is one that SNS would sign, with the fields in the order that its documentation gives.
func (a *amazon) message(t *testing.T, version string, change func(map[string]string)) map[string]string {
	t.Helper()
	m := map[string]string{
		"Type": "Notification", "MessageId": "1", "TopicArn": topic, "Message": "hello\nthere", "Timestamp": arrival.Add(-time.Minute).Format("2006-01-02T15:04:05.000Z"),
		"SignatureVersion": version, "SigningCertURL": "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem",
	}
	if change != nil {
		change(m)
	}
	names := []string{"Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"}
	if m["Type"] != "Notification" {
		names = []string{"Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"}
	}
	var text strings.Builder
	for _, n := range names {
		if v, has := m[n]; has {
			text.WriteString(n + "\n" + v + "\n")
		}
	}
	hash := crypto.SHA256
	if version == "1" {
		hash = crypto.SHA1
	}
	h := hash.New()
	_, _ = h.Write([]byte(text.String()))
	sig, err := rsa.SignPKCS1v15(rand.Reader, a.key, hash, h.Sum(nil))
	if err != nil {
		t.Fatal(err)
	}
	m["Signature"] = base64.StdEncoding.EncodeToString(sig)
	return m
}

func encoded(t *testing.T, v any) []byte {
	t.Helper()
	body, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func TestOnlyWhatAmazonSignedForOurTopicIsTaken(t *testing.T) {
	t.Parallel()
	a := newAmazon(t, 2048)
	auth, err := sources.SNS(sources.NewCertificates(&http.Client{Transport: a}), topic)
	if err != nil {
		t.Fatal(err)
	}
	check := func(m map[string]string) error {
		return auth.Check(context.Background(), sources.Request{Body: encoded(t, m), At: arrival})
	}
	for name, m := range map[string]map[string]string{
		"version 1": a.message(t, "1", nil), "version 2": a.message(t, "2", nil),
		"with a subject": a.message(t, "2", func(m map[string]string) { m["Subject"] = "s" }),
		"a subscription": a.message(t, "2", func(m map[string]string) {
			m["Type"], m["Token"], m["SubscribeURL"] = "SubscriptionConfirmation", "t", "u"
		}),
	} {
		if err := check(m); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := a.fetches.Load(); n != 1 {
		t.Errorf("the certificate was fetched %d times", n)
	}
	for name, m := range map[string]map[string]string{
		"another topic": a.message(t, "2", func(m map[string]string) { m["TopicArn"] = "arn:aws:sns:eu-central-1:666666666666:alerts" }),
		"an old one":    a.message(t, "2", func(m map[string]string) { m["Timestamp"] = arrival.Add(-25 * time.Hour).Format(time.RFC3339) }),
		"a future one":  a.message(t, "2", func(m map[string]string) { m["Timestamp"] = arrival.Add(time.Hour).Format(time.RFC3339) }),
		"no version":    a.message(t, "3", nil),
		"somebody's host": a.message(t, "2", func(m map[string]string) {
			m["SigningCertURL"] = "https://sns.eu-central-1.amazonaws.com.evil.example/SimpleNotificationService-0123456789abcdef.pem"
		}),
		"a bucket's host": a.message(t, "2", func(m map[string]string) {
			m["SigningCertURL"] = "https://sns.s3.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem"
		}),
		"plain http": a.message(t, "2", func(m map[string]string) {
			m["SigningCertURL"] = "http://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem"
		}),
		"another path": a.message(t, "2", func(m map[string]string) { m["SigningCertURL"] = "https://sns.eu-central-1.amazonaws.com/x.pem" }),
		"a query":      a.message(t, "2", func(m map[string]string) { m["SigningCertURL"] += "?a=1" }),
		"a port": a.message(t, "2", func(m map[string]string) {
			m["SigningCertURL"] = "https://sns.eu-central-1.amazonaws.com:444/SimpleNotificationService-0123456789abcdef.pem"
		}),
		"inside": a.message(t, "2", func(m map[string]string) {
			m["SigningCertURL"] = "https://169.254.169.254/SimpleNotificationService-0123456789abcdef.pem"
		}),
		"somebody's key":    newAmazon(t, 2048).message(t, "2", nil),
		"nothing":           {},
		"a changed subject": func() map[string]string { m := a.message(t, "2", nil); m["Subject"] = "added"; return m }(),
		"a changed message": func() map[string]string { m := a.message(t, "2", nil); m["Message"] = "x"; return m }(),
	} {
		if err := check(m); !errors.Is(err, sources.ErrUnauthenticated) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := a.fetches.Load(); n != 1 {
		t.Errorf("forgers made us fetch %d times", n-1)
	}
}

func TestACertificateThatCannotBeFetchedMakesTheSenderComeAgain(t *testing.T) {
	t.Parallel()
	a := newAmazon(t, 2048)
	a.down.Store(true)
	auth, err := sources.SNS(sources.NewCertificates(&http.Client{Transport: a}), topic)
	if err != nil {
		t.Fatal(err)
	}
	r := sources.Request{Body: encoded(t, a.message(t, "2", nil)), At: arrival}
	if err := auth.Check(context.Background(), r); err == nil || errors.Is(err, sources.ErrUnauthenticated) {
		t.Errorf("an outage counts as a forgery: %v", err)
	}
	for range 40 {
		_ = auth.Check(context.Background(), r)
	}
	if n := a.fetches.Load(); n > 21 {
		t.Errorf("%d fetches within a minute", n)
	}
	a.down.Store(false)
	r.At = arrival.Add(2 * time.Minute)
	if err := auth.Check(context.Background(), r); err != nil {
		t.Errorf("after the outage: %v", err)
	}
	weak := newAmazon(t, 1024)
	auth, err = sources.SNS(sources.NewCertificates(&http.Client{Transport: weak}), topic)
	if err != nil {
		t.Fatal(err)
	}
	if err := auth.Check(context.Background(), sources.Request{Body: encoded(t, weak.message(t, "2", nil)), At: arrival}); !errors.Is(err, sources.ErrUnauthenticated) {
		t.Errorf("a short key was taken: %v", err)
	}
	for _, topics := range [][]string{nil, {"alerts"}, {"arn:aws:sqs:eu-central-1:1:x"}} {
		if _, err := sources.SNS(nil, topics...); err == nil {
			t.Errorf("topics %q were taken", topics)
		}
	}
}

// google issues identity tokens.
type google struct {
	key  *rsa.PrivateKey
	down atomic.Bool
	asks atomic.Int64
}

func (g *google) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	g.asks.Add(1)
	if g.down.Load() {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	_ = json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: &g.key.PublicKey, KeyID: "k1", Algorithm: "RS256", Use: "sig"}}})
}

func (g *google) token(t *testing.T, kid string, alg jose.SignatureAlgorithm, key any, claims map[string]any) string {
	t.Helper()
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, (&jose.SignerOptions{}).WithHeader("kid", kid))
	if err != nil {
		t.Fatal(err)
	}
	text, err := jwt.Signed(s).Claims(claims).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestOnlyOurSendersIdentityTokenIsTaken(t *testing.T) {
	t.Parallel()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	g := &google{key: key}
	srv := httptest.NewServer(g)
	t.Cleanup(srv.Close)
	auth, err := sources.OIDC(sources.OIDCOptions{Audience: "tourniquet", Email: "push@acme.iam.gserviceaccount.com", JWKS: srv.URL})
	if err != nil {
		t.Fatal(err)
	}
	claims := func(change map[string]any) map[string]any {
		c := map[string]any{"iss": "https://accounts.google.com", "aud": "tourniquet", "sub": "1", "email": "push@acme.iam.gserviceaccount.com",
			"email_verified": true, "iat": arrival.Add(-time.Minute).Unix(), "exp": arrival.Add(time.Hour).Unix()}
		for k, v := range change {
			if c[k] = v; v == nil {
				delete(c, k)
			}
		}
		return c
	}
	check := func(token string) error {
		return auth.Check(context.Background(), sources.Request{Headers: http.Header{"Authorization": {"Bearer " + token}}, At: arrival})
	}
	g.down.Store(true)
	good := g.token(t, "k1", jose.RS256, key, claims(nil))
	if err := check(good); err == nil || errors.Is(err, sources.ErrUnauthenticated) {
		t.Errorf("an outage counts as a forgery: %v", err)
	}
	g.down.Store(false)
	if err := check(good); err != nil {
		t.Errorf("a good token: %v", err)
	}
	for name, change := range map[string]map[string]any{
		"another audience": {"aud": "others"}, "another sender": {"email": "push@evil.iam.gserviceaccount.com"}, "a sender nobody verified": {"email_verified": false},
		"another issuer": {"iss": "https://evil.example"}, "expired": {"exp": arrival.Add(-time.Hour).Unix()}, "for ever": {"exp": nil}, "not yet": {"nbf": arrival.Add(time.Hour).Unix()},
	} {
		if err := check(g.token(t, "k1", jose.RS256, key, claims(change))); !errors.Is(err, sources.ErrUnauthenticated) {
			t.Errorf("%s: %v", name, err)
		}
	}
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	for name, token := range map[string]string{
		"another key": g.token(t, "k1", jose.RS256, other, claims(nil)), "an unknown key": g.token(t, "k9", jose.RS256, key, claims(nil)),
		"the public key as a secret": g.token(t, "k1", jose.HS256, public, claims(nil)), "no token": "x", "unsigned": "eyJhbGciOiJub25lIn0.e30.",
	} {
		if err := check(token); !errors.Is(err, sources.ErrUnauthenticated) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := g.asks.Load(); n > 3 {
		t.Errorf("forgers made us ask the issuer %d times", n)
	}
	for _, o := range []sources.OIDCOptions{{Email: "e"}, {Audience: "a"}, {Audience: "a", Email: "e", Subject: "s"}} {
		if _, err := sources.OIDC(o); err == nil {
			t.Errorf("%+v was taken", o)
		}
	}
}
