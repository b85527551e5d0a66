package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/fx/fxtest"

	"github.com/tourniquet-ir/tourniquet/integrations/sources"
	"github.com/tourniquet-ir/tourniquet/internal/config"
	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/intake"
	"github.com/tourniquet-ir/tourniquet/internal/seal"
)

// authority issues certificates and writes them where a configuration finds them.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	raw  []byte
}

func newAuthority(t *testing.T) authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	of := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "an authority of this test"}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	raw, err := x509.CreateCertificate(rand.Reader, of, of, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	return authority{cert, key, raw}
}

// issue gives PEM texts of a certificate for one name and of its key.
func (a authority) issue(t *testing.T, name string, usage x509.ExtKeyUsage, until time.Time) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	of := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: until, ExtKeyUsage: []x509.ExtKeyUsage{usage}, KeyUsage: x509.KeyUsageDigitalSignature,
	}
	raw, err := x509.CreateCertificate(rand.Reader, of, a.cert, &private.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return text("CERTIFICATE", raw), text("PRIVATE KEY", der)
}

func text(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// tlsDoor is the alert door behind the product's own listener, for senders whose certificate says "scanner".
func tlsDoor(t *testing.T, ours authority) (url string) {
	t.Helper()
	dir := t.TempDir()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := l.Addr().String()
	_ = l.Close()
	cert, key := ours.issue(t, "tourniquet", x509.ExtKeyUsageServerAuth, time.Now().Add(time.Hour))
	for name, body := range map[string]string{"door.pem": cert, "door.key": key, "clients.pem": text("CERTIFICATE", ours.raw), "tourniquet.yaml": `server:
  listen: ` + at + `
  tls: { cert: door.pem, key: door.key, client_ca: clients.pem }
sources:
  generic: { trust: act, client_certificates: [scanner] }
`} {
		write(t, filepath.Join(dir, name), body)
	}
	c, err := config.Load(filepath.Join(dir, "tourniquet.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	ring, err := seal.LoadOrCreate(filepath.Join(dir, "keyring.json"), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	db, err := database.Open(t.Context(), filepath.Join(dir, "t.db"), ring.Box())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	s := settings{Config: c, Log: slog.New(slog.DiscardHandler)}
	src, format, err := sourceOf(c, "generic")
	if err != nil {
		t.Fatal(err)
	}
	auth, err := proofOf(s, "generic", format, nil)
	if err != nil {
		t.Fatal(err)
	}
	door, err := intake.New(intake.Options{
		Store: db, Box: ring.Box(), Logger: s.Log, Now: time.Now, Reader: sources.Loopback(),
		Sources: map[string]intake.Configured{"generic": {Source: src, Auth: auth, Trust: "act"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	life := fxtest.NewLifecycle(t)
	if err := listen(s, door, &drain{}, life); err != nil {
		t.Fatal(err)
	}
	life.RequireStart()
	t.Cleanup(life.RequireStop)
	return "https://" + at + "/v1/alerts/generic"
}

func TestASourceWithClientCertificatesHearsOnlyTheNamedOnes(t *testing.T) {
	t.Parallel()
	ours, strangers := newAuthority(t), newAuthority(t)
	url := tlsDoor(t, ours)
	soon := time.Now().Add(time.Hour)
	for name, c := range map[string]struct {
		from  authority
		name  string
		usage x509.ExtKeyUsage
		until time.Time
		want  int // 0: the connection is refused
	}{
		"the named one":                     {ours, "scanner", x509.ExtKeyUsageClientAuth, soon, http.StatusAccepted},
		"another name":                      {ours, "printer", x509.ExtKeyUsageClientAuth, soon, http.StatusUnauthorized},
		"the name from another issuer":      {strangers, "scanner", x509.ExtKeyUsageClientAuth, soon, 0},
		"the name, expired":                 {ours, "scanner", x509.ExtKeyUsageClientAuth, time.Now().Add(-time.Minute), 0},
		"a certificate for servers":         {ours, "scanner", x509.ExtKeyUsageServerAuth, soon, 0},
		"no certificate":                    {want: http.StatusUnauthorized},
		"a name that only begins like ours": {ours, "scanner.example", x509.ExtKeyUsageClientAuth, soon, http.StatusUnauthorized},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pool := x509.NewCertPool()
			pool.AddCert(ours.cert)
			conf := &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
			if c.name != "" {
				pair, err := tls.X509KeyPair(pairOf(c.from.issue(t, c.name, c.usage, c.until)))
				if err != nil {
					t.Fatal(err)
				}
				// Given whatever the door asks for: a polite client would hide a certificate that it will refuse.
				conf.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
			}
			client := &http.Client{Transport: &http.Transport{TLSClientConfig: conf}, Timeout: 10 * time.Second}
			defer client.CloseIdleConnections()
			body := `{"id": "scan ` + name + `", "kind": "key.leaked", "title": "a key", "key": {"provider": "gemini", "account": "prod", "id": "k1"}}`
			res, err := client.Post(url, "application/json", strings.NewReader(body))
			if err != nil {
				if c.want != 0 {
					t.Errorf("refused: %v", err)
				}
				return
			}
			said, _ := io.ReadAll(res.Body)
			_ = res.Body.Close()
			if res.StatusCode != c.want {
				t.Errorf("answered %d, want %d: %s", res.StatusCode, c.want, said)
			}
		})
	}
}

func pairOf(cert, key string) (c, k []byte) { return []byte(cert), []byte(key) }
