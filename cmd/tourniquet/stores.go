package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/tourniquet-ir/tourniquet/integrations/secretstores"
	awssecrets "github.com/tourniquet-ir/tourniquet/integrations/secretstores/aws"
	gcpsecrets "github.com/tourniquet-ir/tourniquet/integrations/secretstores/gcp"
	ghsecrets "github.com/tourniquet-ir/tourniquet/integrations/secretstores/github"
	"github.com/tourniquet-ir/tourniquet/integrations/secretstores/kubernetes"
	"github.com/tourniquet-ir/tourniquet/integrations/secretstores/vault"
	"github.com/tourniquet-ir/tourniquet/integrations/webhooks"
	"github.com/tourniquet-ir/tourniquet/integrations/webhooks/standard"
	"github.com/tourniquet-ir/tourniquet/internal/config"
)

// stores are the secret stores that the configuration lets us write to. One more store is one more line and function here.
func stores(s settings, g gitHubPorts) ([]secretstores.Store, error) {
	c := s.Config.SecretStores
	var out []secretstores.Store
	var faults []error
	add := func(wanted bool, section string, open func() (secretstores.Store, error)) {
		if !wanted {
			return
		}
		made, err := open()
		if err != nil {
			faults = append(faults, fmt.Errorf("secret_stores.%s: %w", section, err))
			return
		}
		out = append(out, made)
	}
	add(c.GitHub != nil && g.API != nil, "github", func() (secretstores.Store, error) { return ghsecrets.New(g.API), nil })
	add(len(c.Kubernetes) > 0, "kubernetes", func() (secretstores.Store, error) { return clusters(s.Config) })
	add(c.Vault != nil, "vault", func() (secretstores.Store, error) {
		return vault.New(vault.Options{Address: c.Vault.Address, Token: func() (string, error) { return c.Vault.Token.Resolve(s.Env) }})
	})
	add(c.AWS != nil, "aws", func() (secretstores.Store, error) { return awsStore(s, *c.AWS) })
	add(c.GCP != nil, "gcp", func() (secretstores.Store, error) { return gcpStore(s, *c.GCP) })
	return out, errors.Join(faults...)
}

func clusters(c *config.Config) (secretstores.Store, error) {
	var list []kubernetes.Cluster
	for _, k := range c.SecretStores.Kubernetes {
		list = append(list, kubernetes.Cluster{Name: k.Cluster, Kubeconfig: c.At(k.Kubeconfig), Context: k.Context})
	}
	return kubernetes.New(list)
}

func awsStore(s settings, c config.AWSSecrets) (*awssecrets.Store, error) {
	o := awssecrets.Options{Endpoint: c.Endpoint}
	if c.AccessKeyID != "" {
		secret, err := c.SecretAccessKey.Resolve(s.Env)
		if err != nil {
			return nil, err
		}
		o.Credentials = credentials.NewStaticCredentialsProvider(c.AccessKeyID, secret, "")
		return awssecrets.New(o)
	}
	found, err := awsconfig.LoadDefaultConfig(context.Background())
	if err != nil {
		return nil, errors.New("the usual places of AWS credentials cannot be read")
	}
	o.Credentials = awssdk.NewCredentialsCache(found.Credentials)
	return awssecrets.New(o)
}

func gcpStore(s settings, c config.GCPSecrets) (*gcpsecrets.Store, error) {
	tokens, err := googleTokens(s, config.Gemini{AccessToken: c.AccessToken, CredentialsFile: c.CredentialsFile})
	if err != nil {
		return nil, err
	}
	return gcpsecrets.New(context.Background(), gcpsecrets.Options{Tokens: tokens, Endpoint: c.Endpoint})
}

// hooks is nil where no receiver is listed.
func hooks(s settings) (webhooks.Sender, error) {
	guard, err := s.Config.Outbound.Guard()
	if err != nil || len(s.Config.Notify.Webhooks) == 0 {
		return nil, err
	}
	var list []standard.Receiver
	for _, w := range s.Config.Notify.Webhooks {
		r := standard.Receiver{Name: w.Name, URL: w.URL}
		for _, ref := range w.Secrets {
			secret, err := ref.Resolve(s.Env)
			if err != nil {
				return nil, fmt.Errorf("notify.webhooks %q: %w", w.Name, err)
			}
			r.Secrets = append(r.Secrets, secret)
		}
		list = append(list, r)
	}
	return standard.New(guard, list, time.Now)
}
