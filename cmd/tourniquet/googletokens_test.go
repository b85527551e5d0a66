package main

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/tourniquet-ir/tourniquet/internal/config"
)

func TestAProofForGoogleIsNeverCarriedElsewhere(t *testing.T) {
	t.Parallel()
	var elsewhere, asked atomic.Int64
	stranger := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	t.Cleanup(stranger.Close)
	issuer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		http.Redirect(w, r, stranger.URL, http.StatusTemporaryRedirect)
	}))
	t.Cleanup(issuer.Close)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	file, err := json.Marshal(map[string]string{
		"type": "service_account", "client_email": "tourniquet@acme.example", "private_key_id": "k1", "token_uri": issuer.URL,
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
	})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "google.json")
	write(t, path, string(file))
	tokens, err := googleTokens(settings{Config: &config.Config{}}, config.Gemini{CredentialsFile: path})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := tokens.Token(); err == nil || got != nil && got.AccessToken != "" || strings.Contains(err.Error(), "PRIVATE KEY") {
		t.Errorf("a token came of a redirect: %v", err)
	}
	if asked.Load() != 1 || elsewhere.Load() != 0 {
		t.Errorf("the issuer was asked %d times, and the proof was carried elsewhere %d times", asked.Load(), elsewhere.Load())
	}
}
