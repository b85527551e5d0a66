package sandbox

import (
	"context"
	"net/http"
)

func litellmProxy() Scenario {
	return leak("litellm-proxy", "a key of the company's own LiteLLM proxy leaks; the proxy knows every call, and blocks it at once", Issuer{
		Provider: "litellm", SecretType: "litellm_virtual_key", Call: OpenAICall, Serve: (*World).LiteLLM, Secrets: adminSecret,
		LingersWhy: "a proxy forgets a deleted key when its cache does",
		Leak: func(w *World) Key {
			return w.NewLiteLLMKey(LiteLLMKey{Alias: "shop production", Models: []string{"gpt-5"}, RPM: 600})
		},
		Config: `{ account: demo, master_key: @secrets/provider-admin, base_url: "@url" }`,
	})
}

func openrouterLeak() Scenario {
	return leak("openrouter-leak", "an OpenRouter key leaks; it is disabled at once and replaced by one with the same limit", Issuer{
		Provider: "openrouter", SecretType: "openrouter_api_key", Call: OpenRouterCall, Serve: (*World).OpenRouter, Secrets: adminSecret,
		LingersWhy: "OpenRouter publishes no figure",
		Leak: func(w *World) Key {
			return w.NewOpenRouterKey(OpenRouterKey{Name: "shop production", Limit: 5000})
		},
		Config: `{ account: demo, management_key: @secrets/provider-admin, base_url: "@url/api/v1" }`,
	})
}

// OpenRouterCall is one chat completion.
func OpenRouterCall(ctx context.Context, base, secret string, tokens int) (*http.Request, error) {
	return chatRequest(ctx, base, "/api/v1/chat/completions", "openai/gpt-5", secret, tokens)
}
