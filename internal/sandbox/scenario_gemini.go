package sandbox

import (
	"context"
	"encoding/json"
	"net/http"
	"time"
)

func geminiLeak() Scenario {
	return leak("gemini-leak", "a Gemini key leaks in a repository and is spent at 28 USD a minute until it is contained", google())
}

// geminiServiceAccount is the theft of a credentials file: its holder asks Google for tokens and calls with those. What runs as the
// account stops while the account is off, and goes on with a new key of it.
func geminiServiceAccount() Scenario {
	i := google()
	i.SecretType, i.Call, i.Lingers, i.LingersWhy = "google_cloud_service_account_credentials", GoogleAccountCall, 0, ""
	i.Leak = func(w *World) Key { return w.NewGoogleAccountKey("demo-shop", "shop-model") }
	return leak("gemini-service-account", "the credentials file of a service account leaks; its key is disabled, the account stopped until people let it run again, and a new key is made here", i)
}

func google() Issuer {
	return Issuer{
		Provider: "gemini", SecretType: "google_api_key", Call: GeminiCall, Serve: (*World).Google, Secrets: adminSecret,
		Lingers: 15 * time.Minute, LingersWhy: "Google: 8 to 23 minutes",
		Leak: func(w *World) Key {
			return w.NewGeminiKey(GeminiKey{Project: "demo-shop", Name: "shop production", APITargets: []string{generativeService}})
		},
		Config: `{ account: demo, project: demo-shop, access_token: @secrets/provider-admin,
        endpoints: { api_keys: "@url", service_usage: "@url", monitoring: "@url", logging: "@url", generative: "@url", iam: "@url", token: "@url/token" },
        micro_usd_per_request: 46667, price_basis: "the sandbox's own price, 28 USD a minute at 10 calls a second" }`,
	}
}

// GeminiCall is one call of the Gemini API.
func GeminiCall(ctx context.Context, base, secret string, tokens int) (*http.Request, error) {
	body, _ := json.Marshal(map[string]any{ // maps of strings and numbers always encode
		"contents":         []any{map[string]any{"role": "user", "parts": []any{map[string]string{"text": modelPrompt}}}},
		"generationConfig": map[string]int{"maxOutputTokens": tokens},
	})
	return modelRequest(ctx, base, "/v1beta/models/gemini-2.5-pro:generateContent", "X-Goog-Api-Key", secret, body)
}
