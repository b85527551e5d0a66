package gemini

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"google.golang.org/api/googleapi"
	iam "google.golang.org/api/iam/v1"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// A service account's key is identified as EMAIL/KEYID; an API key's id never holds an at sign.
var (
	accountMail  = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{0,99}@[a-z0-9][a-z0-9.-]{0,149}$`)
	accountKeyID = regexp.MustCompile(`^[0-9a-f]{40}$`)
)

func isAccountKey(id string) bool { return strings.Contains(id, "@") }

// accountName and keyName are Google's names; "-" lets Google find the project of an account.
func accountName(email string) string { return "projects/-/serviceAccounts/" + email }

func keyName(id string) string {
	email, key, _ := strings.Cut(id, "/")
	return accountName(email) + "/keys/" + key
}

// credentials are what a leaked credentials file holds. Everything in it was written by whoever leaked it, and perhaps
// changed by whoever reported it: its addresses are never called.
type credentials struct {
	Type  string `json:"type"`
	KeyID string `json:"private_key_id"`
	Key   string `json:"private_key"`
	Email string `json:"client_email"`
}

// parseCredentials reads a credentials file of a service account.
func parseCredentials(secret []byte) (credentials, *rsa.PrivateKey, bool) {
	var c credentials
	if json.Unmarshal(secret, &c) != nil || c.Type != "service_account" || !accountMail.MatchString(c.Email) || !accountKeyID.MatchString(c.KeyID) {
		return c, nil, false
	}
	block, _ := pem.Decode([]byte(c.Key))
	if block == nil {
		return c, nil, false
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		if parsed, err = x509.ParsePKCS1PrivateKey(block.Bytes); err != nil {
			return c, nil, false
		}
	}
	key, isRSA := parsed.(*rsa.PrivateKey)
	return c, key, isRSA && key.Validate() == nil
}

// byCredentials finds the key of a credentials file. Its id may be known to anybody; that the private half fits what Google
// holds is what proves the leak.
func (p *Provider) byCredentials(ctx context.Context, c credentials, private *rsa.PrivateKey) ([]incident.Key, error) {
	id := c.Email + "/" + c.KeyID
	k, err := p.accountKey(ctx, id, true)
	if err != nil || k == nil {
		return nil, err
	}
	public := publicKeyOf(k)
	if public == nil || !public.Equal(&private.PublicKey) {
		return nil, nil
	}
	return p.accountNoun(ctx, id)
}

func certificateOf(k *iam.ServiceAccountKey) *x509.Certificate {
	text, err := base64.StdEncoding.DecodeString(k.PublicKeyData)
	if err != nil {
		return nil
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil
	}
	return cert
}

func publicKeyOf(k *iam.ServiceAccountKey) *rsa.PublicKey {
	cert := certificateOf(k)
	if cert == nil {
		return nil
	}
	public, _ := cert.PublicKey.(*rsa.PublicKey)
	return public
}

// byAccountID finds a key by EMAIL/KEYID or by Google's full name of it.
func (p *Provider) byAccountID(ctx context.Context, id string) ([]incident.Key, error) {
	if parts := strings.Split(id, "/"); len(parts) == 6 && parts[2] == "serviceAccounts" && parts[4] == "keys" {
		id = parts[3] + "/" + parts[5]
	}
	email, key, _ := strings.Cut(id, "/")
	if !accountMail.MatchString(email) || !accountKeyID.MatchString(key) {
		return nil, nil
	}
	k, err := p.accountKey(ctx, id, false)
	if err != nil || k == nil {
		return nil, err
	}
	return p.accountNoun(ctx, id)
}

// accountKey reads one key; nil means that Google knows none of this name, or none that we may see.
func (p *Provider) accountKey(ctx context.Context, id string, withPublic bool) (k *iam.ServiceAccountKey, err error) {
	err = p.read(ctx, fmt.Sprintf("reading the key %q", id), func() error {
		call := p.iam.Projects.ServiceAccounts.Keys.Get(keyName(id)).Context(ctx)
		if withPublic {
			call = call.PublicKeyType("TYPE_X509_PEM_FILE")
		}
		k, err = call.Do()
		if notFound(err) {
			k, err = nil, nil
		}
		return err
	})
	return k, err
}

// account reads one service account; nil means that it is gone.
func (p *Provider) account(ctx context.Context, email string) (a *iam.ServiceAccount, err error) {
	err = p.read(ctx, fmt.Sprintf("reading the service account %q", email), func() error {
		a, err = p.iam.Projects.ServiceAccounts.Get(accountName(email)).Context(ctx).Do()
		if notFound(err) {
			a, err = nil, nil
		}
		return err
	})
	return a, err
}

// accountNoun is a key in our words. Use is counted under the account's own number.
func (p *Provider) accountNoun(ctx context.Context, id string) ([]incident.Key, error) {
	email, _, _ := strings.Cut(id, "/")
	a, err := p.account(ctx, email)
	if err != nil || a == nil {
		return nil, err
	}
	return []incident.Key{p.accountWords(id, a)}, nil
}

func (p *Provider) accountWords(id string, a *iam.ServiceAccount) incident.Key {
	email, key, _ := strings.Cut(id, "/")
	return incident.Key{
		Provider: providerName, Account: p.cfg.Account, Project: a.ProjectId, ID: id, UID: a.UniqueId, Name: email,
		Hint: hintOf(key), OwnerKind: "service_account", Dependents: []incident.Dependent{},
	}
}

// keysOf lists the keys of an account that people manage; Google's own are none of anybody's business.
func (p *Provider) keysOf(ctx context.Context, email string) (list []*iam.ServiceAccountKey, err error) {
	err = p.read(ctx, fmt.Sprintf("listing the keys of %q", email), func() error {
		got, err := p.iam.Projects.ServiceAccounts.Keys.List(accountName(email)).KeyTypes("USER_MANAGED").Context(ctx).Do()
		if err == nil {
			list = got.Keys
		}
		return err
	})
	return list, err
}

// mostAccounts bounds a listing: Google lets a project have a hundred service accounts unless it is asked for more.
const mostAccounts = 500

// listAccountKeys lists the keys of all service accounts of the project. Who may not list service accounts is told of none:
// the right is one that API keys alone do not need.
func (p *Provider) listAccountKeys(ctx context.Context) ([]incident.Key, error) {
	var accounts []*iam.ServiceAccount
	denied := false
	err := p.read(ctx, fmt.Sprintf("listing the service accounts of project %q", p.cfg.Project), func() error {
		accounts = nil
		err := p.iam.Projects.ServiceAccounts.List("projects/"+p.cfg.Project).PageSize(100).Context(ctx).Pages(ctx, func(page *iam.ListServiceAccountsResponse) error {
			accounts = append(accounts, page.Accounts...)
			if len(accounts) > mostAccounts {
				return fmt.Errorf("the project has more than %d service accounts", mostAccounts)
			}
			return nil
		})
		denied = statusOf(err) == http.StatusForbidden
		return err
	})
	if denied {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out []incident.Key
	for _, a := range accounts {
		list, err := p.keysOf(ctx, a.Email)
		if err != nil {
			return nil, err
		}
		for _, k := range list {
			out = append(out, p.accountWords(a.Email+"/"+lastSegment(k.Name), a))
		}
	}
	return out, nil
}

func statusOf(err error) int {
	var api *googleapi.Error
	if errors.As(err, &api) {
		return api.Code
	}
	return 0
}
