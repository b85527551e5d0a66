package sandbox

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"
)

// everyStore is a theft whose key lies in every kind of store there is: what GitHub holds is written for good, what the others
// hold could be put back.
func everyStore() Scenario {
	s := leak("every-store", "a stolen Gemini key is replaced in GitHub, Kubernetes, Vault, AWS and Google, and every application goes on", google())
	s.Everywhere = true
	return s
}

// shelves are the stores beside GitHub, with one application each.
type shelves struct {
	kube  *Kubernetes
	vault *Vault
	aws   *AWSSecrets
	gcp   *GCPSecrets

	kubeURL, vaultURL, awsURL, gcpURL string
	health                            map[string]string // by application
}

const (
	awsRegion  = "eu-central-1"
	gcpProject = "demo-shop"
	billFlow   = "billing.yml"
)

// everywhere puts the key into every store and starts what reads it there: search and mail as pods, billing by a workflow of
// GitHub, and books, which reads its store with every call.
func (s *Stage) everywhere() error {
	w, value := s.World, s.Key.Secret()
	h := &shelves{kube: w.Kubernetes(2 * time.Second), vault: w.Vault(), aws: w.AWSSecrets(), gcp: w.GCPSecrets(), health: map[string]string{}}
	s.shelves = h
	for url, handler := range map[*string]http.Handler{&h.vaultURL: h.vault, &h.awsURL: h.aws, &h.gcpURL: h.gcp} {
		at, err := s.open(handler)
		if err != nil {
			return err
		}
		*url = at
	}
	if err := s.openTLS(); err != nil {
		return err
	}
	h.kube.SetSecret("shop", "model", false, map[string]string{"api-key": value})
	h.kube.AddWorkload("deployments", "shop", "search", 3, false)
	h.kube.AddWorkload("statefulsets", "shop", "mail", 2, false)
	h.vault.SetSecret("", "secret", "shop/mail", map[string]string{"model_key": value, "smtp_user": "mail"})
	h.aws.SetSecret(awsRegion, "shop/billing", value)
	h.gcp.SetSecret(gcpProject, "books-model-key", value)
	s.GitHub.AddRepo(stageOwner, stageRepo, billFlow)

	started := map[string]*Dependent{}
	for _, name := range []string{"search", "mail", "billing", "books"} {
		app := NewDependent(name, nil, s.Scenario.Issuer.Call, s.ProviderURL, value)
		url, err := s.open(app)
		if err != nil {
			return err
		}
		started[name], h.health[name], s.Apps = app, url, append(s.Apps, app)
	}
	started["books"].From(func() string { v, _ := h.gcp.Secret(gcpProject, "books-model-key"); return v })
	h.kube.OnRollout(func(r KubernetesRollout) error {
		switch r.Workload {
		case "search":
			started["search"].Deploy(r.Secrets["model/api-key"])
		case "mail":
			v, _ := h.vault.Secret("", "secret", "shop/mail", "model_key")
			started["mail"].Deploy(v)
		}
		return nil
	})
	s.deployed = func(d GitHubDeploy) {
		if d.Workflow == billFlow {
			v, _ := h.aws.Secret(awsRegion, "shop/billing")
			started["billing"].Deploy(v)
		}
	}
	return nil
}

// openTLS serves Kubernetes, to which clients send no token in the clear.
func (s *Stage) openTLS() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("the sandbox found no free port: %w", err)
	}
	srv := &http.Server{Handler: s.shelves.kube, TLSConfig: s.shelves.kube.TLS(), ReadHeaderTimeout: 5 * time.Second}
	s.servers = append(s.servers, srv)
	go func() { _ = srv.ServeTLS(l, "", "") }() // ends with Close
	s.shelves.kubeURL = "https://" + l.Addr().String()
	return nil
}

// secrets are the credentials of the stores as files.
func (h *shelves) secrets(w *World) map[string]string {
	_, aws := h.aws.Credentials()
	return map[string]string{"kubeconfig": h.kube.Kubeconfig(h.kubeURL), "vault-token": h.vault.Token(), "aws-secret": aws, "gcp-token": w.AdminToken()}
}

// config is what an operator would have written under secret_stores.
func (h *shelves) config() string {
	id, _ := h.aws.Credentials()
	return strings.NewReplacer("@vault", h.vaultURL, "@aws", h.awsURL, "@id", id, "@gcp", h.gcpURL).Replace(`
  kubernetes: [{ cluster: prod, kubeconfig: secrets/kubeconfig }]
  vault: { address: "@vault", token: @secrets/vault-token }
  aws: { access_key_id: "@id", secret_access_key: @secrets/aws-secret, endpoint: "@aws" }
  gcp: { access_token: @secrets/gcp-token, endpoint: "@gcp" }`)
}

// inventory lists the dependents in these stores.
func (h *shelves) inventory() string {
	at := func(name string) string { return fmt.Sprintf("check: {kind: http, url: %q}", h.health[name]) }
	return "" +
		"      - {id: search in the cluster, kind: kubernetes_secret, cluster: prod, namespace: shop, name: model, key: api-key, redeploy: {deployment: search}, check: {kind: rollout}}\n" +
		"      - {id: mail in Vault, kind: vault_kv, mount: secret, path: shop/mail, field: model_key, redeploy: {statefulset: mail, namespace: shop, cluster: prod}, " + at("mail") + "}\n" +
		"      - {id: billing in AWS, kind: aws_secret, region: " + awsRegion + ", name: shop/billing, redeploy: {owner: " + stageOwner + ", repo: " + stageRepo + ", workflow: " + billFlow + ", ref: main}, " + at("billing") + "}\n" +
		"      - {id: books at Google, kind: gcp_secret, project: " + gcpProject + ", name: books-model-key, " + at("books") + "}\n"
}
