package gemini

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"strings"
	"time"

	iam "google.golang.org/api/iam/v1"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

const (
	pairBits  = 2048 // what Google makes itself
	pairYears = 10   // a key ends with its certificate; somebody rotates it long before
)

// createAccount makes the pair here and uploads the public half in a certificate that carries label. The private half was
// never anywhere else, so an answer that is lost leaves behind what nobody can use.
func (p *Provider) createAccount(ctx context.Context, like incident.Key, label string) (keys.Created, error) {
	what := fmt.Sprintf("creating a key like %q", like.ID)
	if label == "" {
		return keys.Created{}, keys.Permanent(fmt.Errorf("%s: a label is needed to find the key again", what))
	}
	email, _, _ := strings.Cut(like.ID, "/")
	a, err := p.account(ctx, email)
	if err != nil {
		return keys.Created{}, err
	}
	if a == nil {
		return keys.Created{}, keys.Permanent(fmt.Errorf("%s: Google knows no service account %q", what, email))
	}
	private, certificate, err := pair(label, p.cfg.Now())
	if err != nil {
		return keys.Created{}, fmt.Errorf("%s: %w", what, err)
	}
	made, err := p.iam.Projects.ServiceAccounts.Keys.Upload(accountName(email), &iam.UploadServiceAccountKeyRequest{
		PublicKeyData: base64.StdEncoding.EncodeToString(certificate),
	}).Context(ctx).Do()
	if err != nil {
		return keys.Created{}, explain(what, err)
	}
	id := lastSegment(made.Name)
	if !accountKeyID.MatchString(id) {
		return keys.Created{}, fmt.Errorf("%s: Google's answer names no key", what)
	}
	secret, err := credentialsFile(a, id, private)
	if err != nil {
		return keys.Created{}, fmt.Errorf("%s: %w", what, err)
	}
	return keys.Created{Key: p.accountWords(email+"/"+id, a), Secret: secret, Receipt: keys.Receipt{
		Summary: fmt.Sprintf("Uploaded a new key of %s; its private half was made here and is sealed", email), After: map[string]string{"exists": "true"},
	}}, nil
}

// pair makes a private key and a certificate of its public half that carries label.
func pair(label string, now time.Time) (*rsa.PrivateKey, []byte, error) {
	private, err := rsa.GenerateKey(rand.Reader, pairBits)
	if err != nil {
		return nil, nil, err
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		return nil, nil, err
	}
	shape := &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: label}, NotBefore: now.Add(-5 * time.Minute).UTC(), NotAfter: now.AddDate(pairYears, 0, 0).UTC(), KeyUsage: x509.KeyUsageDigitalSignature}
	der, err := x509.CreateCertificate(rand.Reader, shape, shape, &private.PublicKey, private)
	if err != nil {
		return nil, nil, err
	}
	return private, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), nil
}

// credentialsFile is what Google's libraries read.
func credentialsFile(a *iam.ServiceAccount, id string, private *rsa.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, err
	}
	return json.MarshalIndent(map[string]string{
		"type": "service_account", "project_id": a.ProjectId, "private_key_id": id,
		"private_key":  string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
		"client_email": a.Email, "client_id": a.UniqueId, "auth_uri": "https://accounts.google.com/o/oauth2/auth", "token_uri": tokenAudience,
		"auth_provider_x509_cert_url": "https://www.googleapis.com/oauth2/v1/certs",
		"client_x509_cert_url":        "https://www.googleapis.com/robot/v1/metadata/x509/" + strings.ReplaceAll(a.Email, "@", "%40"),
		"universe_domain":             "googleapis.com",
	}, "", "  ")
}

// accountOrphans lists the keys that createAccount uploaded under label.
func (p *Provider) accountOrphans(ctx context.Context, like incident.Key, label string) ([]incident.Key, error) {
	email, _, _ := strings.Cut(like.ID, "/")
	list, err := p.keysOf(ctx, email)
	if err != nil {
		return nil, err
	}
	var found []incident.Key
	for _, k := range list {
		id := email + "/" + lastSegment(k.Name)
		if k.KeyOrigin != "USER_PROVIDED" {
			continue
		}
		whole, err := p.accountKey(ctx, id, true)
		if err != nil {
			return nil, err
		}
		if whole == nil {
			continue
		}
		if cert := certificateOf(whole); cert != nil && label != "" && cert.Subject.CommonName == label {
			orphan := like
			orphan.ID, orphan.Hint, orphan.Secret = id, hintOf(lastSegment(k.Name)), nil
			found = append(found, orphan)
		}
	}
	return found, nil
}
