package faults

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"golang.org/x/oauth2"

	"github.com/tourniquet-ir/tourniquet/integrations/faulttest"
	"github.com/tourniquet-ir/tourniquet/integrations/secretstores"
	"github.com/tourniquet-ir/tourniquet/integrations/secretstores/aws"
	"github.com/tourniquet-ir/tourniquet/integrations/secretstores/gcp"
	"github.com/tourniquet-ir/tourniquet/integrations/secretstores/github"
	"github.com/tourniquet-ir/tourniquet/integrations/secretstores/kubernetes"
	"github.com/tourniquet-ir/tourniquet/integrations/secretstores/storetest"
	"github.com/tourniquet-ir/tourniquet/integrations/secretstores/vault"
	"github.com/tourniquet-ir/tourniquet/integrations/tickets/github/api"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
)

// opened is a store, or the end of the test.
func opened[S secretstores.Store](t *testing.T) func(S, error) secretstores.Store {
	return func(s S, err error) secretstores.Store {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
}

func stores(t *testing.T) []faulttest.Client {
	t.Helper()
	out := []faulttest.Client{awsShelf(t), gcpShelf(t), vaultShelf(t), kubernetesShelf(t)}
	repo := incident.Dependent{
		ID: "shop", Kind: github.KindActions, Address: map[string]string{"owner": "acme", "repo": "shop", "name": "MODEL_KEY"},
		Redeploy: map[string]string{"workflow": "deploy.yml", "ref": "main"},
	}
	org := incident.Dependent{ID: "org", Kind: github.KindOrganization, Address: map[string]string{"org": "acme", "name": "MODEL_KEY"}}
	return append(out, githubShelf(t, "github secrets", repo), githubShelf(t, "github secrets of an organisation", org))
}

func awsShelf(t *testing.T) faulttest.Client {
	secret := storetest.Value(t)
	return faulttest.Store("aws secrets", faulttest.Shelf{
		Open: func(t *testing.T, url string) secretstores.Store {
			return opened[*aws.Store](t)(aws.New(aws.Options{Endpoint: url, Credentials: credentials.NewStaticCredentialsProvider("AKIAEXAMPLE", secret, "")}))
		},
		Dependent: incident.Dependent{ID: "shop", Kind: aws.Kind, Address: map[string]string{"region": "eu-central-1", "name": "shop/prod"}},
		Undo:      `{"version":"v1"}`, Value: storetest.Value(t), Never: []string{secret},
	})
}

func gcpShelf(t *testing.T) faulttest.Client {
	token := storetest.Value(t)
	return faulttest.Store("google secrets", faulttest.Shelf{
		Open: func(t *testing.T, url string) secretstores.Store {
			return opened[*gcp.Store](t)(gcp.New(t.Context(), gcp.Options{Endpoint: url, Tokens: oauth2.StaticTokenSource(&oauth2.Token{AccessToken: token})}))
		},
		Dependent: incident.Dependent{ID: "shop", Kind: gcp.Kind, Address: map[string]string{"project": "acme-prod", "name": "shop-key"}},
		Undo:      `{"version":"3"}`, Value: storetest.Value(t), Never: []string{token},
	})
}

func vaultShelf(t *testing.T) faulttest.Client {
	token := "hvs." + storetest.Value(t)
	return faulttest.Store("vault", faulttest.Shelf{
		Open: func(t *testing.T, url string) secretstores.Store {
			return opened[*vault.Store](t)(vault.New(vault.Options{Address: url, Token: func() (string, error) { return token, nil }}))
		},
		Dependent: incident.Dependent{ID: "shop", Kind: vault.Kind, Address: map[string]string{"mount": "strict", "path": "shop/prod", "field": "api_key"}},
		Undo:      `{"version":"3"}`, Value: storetest.Value(t), Never: []string{token}, Asks: true, Gone: true,
		Body: func(status int, text string) string {
			if status == 404 {
				return `{"errors":[]}`
			}
			return `{"errors":["` + text + `"]}`
		},
	})
}

func kubernetesShelf(t *testing.T) faulttest.Client {
	k := sandbox.NewWorld(sandbox.Options{}).Kubernetes(0)
	return faulttest.Store("kubernetes", faulttest.Shelf{
		Open: func(t *testing.T, url string) secretstores.Store {
			file := filepath.Join(t.TempDir(), "kubeconfig")
			if err := os.WriteFile(file, []byte(k.Kubeconfig(url)), 0o600); err != nil {
				t.Fatal(err)
			}
			return opened[*kubernetes.Store](t)(kubernetes.New([]kubernetes.Cluster{{Name: "prod", Kubeconfig: file}}))
		},
		Dependent: incident.Dependent{
			ID: "shop", Kind: kubernetes.Kind, Address: map[string]string{"namespace": "shop", "name": "model", "key": "api-key"}, Redeploy: map[string]string{"deployment": "web"},
		},
		Undo: `{"sealed":true}`, Value: storetest.Value(t), Never: []string{k.Token()}, Asks: true,
	})
}

func githubShelf(t *testing.T, name string, d incident.Dependent) faulttest.Client {
	token := storetest.Value(t)
	return faulttest.Store(name, faulttest.Shelf{
		Open: func(t *testing.T, url string) secretstores.Store {
			c, err := api.New(api.Options{BaseURL: url, Token: token})
			return opened[*github.Store](t)(github.New(c), err)
		},
		Dependent: d, Value: storetest.Value(t), Never: []string{token}, Asks: true, Quotes: true, Gone: true,
	})
}
