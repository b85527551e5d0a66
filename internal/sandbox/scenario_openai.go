package sandbox

import (
	"context"
	"encoding/json"
	"net/http"
)

func openaiLeak() Scenario {
	return leak("openai-leak", "an OpenAI project key leaks; only its whole project can be stopped, so people sign for that, and new keys come from another project", Issuer{
		Provider: "openai", SecretType: "openai_api_key", Call: OpenAICall, Serve: (*World).OpenAI, Secrets: adminSecret,
		LingersWhy: "OpenAI publishes no figure",
		Leak: func(w *World) Key {
			w.NewOpenAIProject("proj_demo_shop_new")
			return w.NewOpenAIKey(OpenAIKey{Project: "proj_demo_shop", Name: "shop production"})
		},
		Config: `{ account: demo, project: proj_demo_shop, replacement_project: proj_demo_shop_new, admin_key: @secrets/provider-admin, base_url: "@url/v1" }`,
	})
}

// OpenAICall is one chat completion.
func OpenAICall(ctx context.Context, base, secret string, tokens int) (*http.Request, error) {
	return chatRequest(ctx, base, "/v1/chat/completions", "gpt-5", secret, tokens)
}

// chatRequest words a chat as OpenAI and those who speak like it take it.
func chatRequest(ctx context.Context, base, path, model, secret string, tokens int) (*http.Request, error) {
	body, _ := json.Marshal(map[string]any{ // maps of strings and numbers always encode
		"model": model, "max_completion_tokens": tokens, "messages": []any{map[string]string{"role": "user", "content": modelPrompt}},
	})
	return modelRequest(ctx, base, path, "Authorization", "Bearer "+secret, body)
}
