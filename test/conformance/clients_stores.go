package main

import (
	"context"
	"errors"
	"net/http/httptest"
	"os"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"golang.org/x/oauth2"

	"github.com/tourniquet-ir/tourniquet/integrations/secretstores"
	"github.com/tourniquet-ir/tourniquet/integrations/secretstores/aws"
	"github.com/tourniquet-ir/tourniquet/integrations/secretstores/gcp"
	"github.com/tourniquet-ir/tourniquet/integrations/secretstores/kubernetes"
	"github.com/tourniquet-ir/tourniquet/integrations/secretstores/vault"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

const (
	oldValue = "made-up-value-before"
	newValue = "made-up-value-after"
)

// everyWrite gives a dependent a value, restarts it, looks at it, and puts the old one back where that can be done.
func (t *tape) everyWrite(ctx context.Context, s secretstores.Store, d incident.Dependent) error {
	var st, after secretstores.State
	var old []byte
	deployer, _ := s.(secretstores.Deployer)
	if secretstores.DeployKind(d) == "" {
		deployer = nil
	}
	change := secretstores.Change{Value: []byte(newValue), Token: "call-0123456789abcdef", At: time.Now()}
	read := func(into *secretstores.State) func() error {
		return func() (err error) {
			if deployer != nil {
				if err = deployer.Deployable(ctx, d); err != nil {
					return err
				}
			}
			*into, err = s.State(ctx, d)
			return err
		}
	}
	if err := errors.Join(t.do("doctor", func() error { return s.Ready(ctx) }), t.look("dependent.update", read(&st))); err != nil {
		return err
	}
	change.Over = st.Fields
	if k, keeps := s.(secretstores.Keeper); keeps {
		if err := t.look("dependent.update", func() (err error) { old, err = k.Old(ctx, d); return err }); err != nil {
			return err
		}
	}
	write := func(f func() error) func() error {
		return func() error {
			if err := f(); err != nil || deployer == nil {
				return err
			}
			_, err := deployer.Deploy(ctx, d, change)
			return err
		}
	}
	if err := t.do("dependent.update", write(func() error { _, err := s.Update(ctx, d, change); return err })); err != nil {
		return err
	}
	if err := t.do("dependent.check", func() error {
		if deployer != nil {
			if _, err := deployer.Deployed(ctx, d, st.ChangedAt); err != nil {
				return err
			}
		}
		_, err := s.Holds(ctx, d, []byte(newValue))
		return err
	}); err != nil || st.Undo == nil {
		return err
	}
	if err := t.look("dependent.restore", read(&after)); err != nil {
		return err
	}
	change.Over = after.Fields
	return t.do("dependent.restore", write(func() error { _, err := s.Restore(ctx, d, st.Undo, old, change); return err }))
}

func driveAWSSecrets(ctx context.Context, t *tape) error {
	a := world().AWSSecrets()
	id, secret := a.Credentials()
	s, err := aws.New(aws.Options{Endpoint: t.serve("secretsmanager", a), Credentials: credentials.NewStaticCredentialsProvider(id, secret, "")})
	if err != nil {
		return err
	}
	a.SetSecret("eu-central-1", "shop/plain", oldValue)
	a.SetSecret("eu-central-1", "shop/fields", `{"key":"`+oldValue+`","other":1}`)
	plain := incident.Dependent{ID: "plain", Kind: aws.Kind, Address: map[string]string{"region": "eu-central-1", "name": "shop/plain"}}
	fields := incident.Dependent{ID: "fields", Kind: aws.Kind, Address: map[string]string{"region": "eu-central-1", "name": "shop/fields", "field": "key"}}
	return errors.Join(t.everyWrite(ctx, s, plain), t.everyWrite(ctx, s, fields))
}

func driveGoogleSecrets(ctx context.Context, t *tape) error {
	w := world()
	g := w.GCPSecrets()
	s, err := gcp.New(ctx, gcp.Options{Endpoint: t.serve("secretmanager", g), Tokens: oauth2.StaticTokenSource(&oauth2.Token{AccessToken: w.AdminToken()})})
	if err != nil {
		return err
	}
	g.SetSecret("acme-prod", "shop-key", oldValue)
	return t.everyWrite(ctx, s, incident.Dependent{ID: "shop", Kind: gcp.Kind, Address: map[string]string{"project": "acme-prod", "name": "shop-key"}})
}

func driveVault(ctx context.Context, t *tape) error {
	v := world().Vault("strict")
	s, err := vault.New(vault.Options{Address: t.serve("vault", v), Token: func() (string, error) { return v.Token(), nil }})
	if err != nil {
		return err
	}
	v.SetSecret("", "strict", "shop/prod", map[string]string{"api_key": oldValue, "other": "stays"})
	return t.everyWrite(ctx, s, incident.Dependent{ID: "shop", Kind: vault.Kind, Address: map[string]string{"mount": "strict", "path": "shop/prod", "field": "api_key"}})
}

func driveKubernetes(ctx context.Context, t *tape) error {
	k := world().Kubernetes(0)
	server := httptest.NewUnstartedServer(t.before("kubernetes", k))
	server.TLS = k.TLS()
	server.StartTLS()
	t.close = append(t.close, server.Close)
	dir, err := os.MkdirTemp("", "tourniquet-conformance-")
	if err != nil {
		return err
	}
	t.close = append(t.close, func() { _ = os.RemoveAll(dir) })
	file := filepath.Join(dir, "kubeconfig")
	if err := os.WriteFile(file, []byte(k.Kubeconfig(server.URL)), 0o600); err != nil {
		return err
	}
	s, err := kubernetes.New([]kubernetes.Cluster{{Name: "prod", Kubeconfig: file}})
	if err != nil {
		return err
	}
	k.SetSecret("shop", "model", false, map[string]string{"api-key": oldValue, "other": "stays"})
	var faults []error
	for resource, kind := range map[string]string{"deployments": "deployment", "statefulsets": "statefulset", "daemonsets": "daemonset"} {
		k.AddWorkload(resource, "shop", "app-"+kind, 1, false)
		faults = append(faults, t.everyWrite(ctx, s, incident.Dependent{
			ID: kind, Kind: kubernetes.Kind, Address: map[string]string{"cluster": "prod", "namespace": "shop", "name": "model", "key": "api-key"},
			Redeploy: map[string]string{kind: "app-" + kind},
		}))
	}
	return errors.Join(faults...)
}
