package sandbox

import (
	"context"
	"encoding/json"
	"net/http"
)

func anthropicLeak() Scenario {
	return leak("anthropic-leak", "an Anthropic key leaks; it is set inactive at once, and a person makes its replacement", Issuer{
		Provider: "anthropic", SecretType: "anthropic_api_key", Call: AnthropicCall, Serve: (*World).Anthropic, Secrets: adminSecret,
		LingersWhy: "Anthropic publishes no figure",
		Leak: func(w *World) Key {
			return w.NewAnthropicKey(AnthropicKey{Workspace: "wrkspc_shop", Name: "shop production"})
		},
		ByHand: func(w *World, who string) Key {
			k := w.NewAnthropicKey(AnthropicKey{Workspace: "wrkspc_shop", Name: "shop production, new", By: who})
			w.Record(Entry{Service: "anthropic-console", Method: http.MethodPost, Path: "/settings/keys", Actor: who, Key: k.ID, Effect: EffectUndoable, Status: http.StatusOK})
			return k
		},
		Config: `{ account: demo, admin_key: @secrets/provider-admin, base_url: "@url" }`,
	})
}

// AnthropicCall is one message.
func AnthropicCall(ctx context.Context, base, secret string, tokens int) (*http.Request, error) {
	body, _ := json.Marshal(map[string]any{ // maps of strings and numbers always encode
		"model": "claude-sonnet-5", "max_tokens": tokens, "messages": []any{map[string]string{"role": "user", "content": modelPrompt}},
	})
	r, err := modelRequest(ctx, base, "/v1/messages", "X-Api-Key", secret, body)
	if err == nil {
		r.Header.Set("anthropic-version", "2023-06-01")
	}
	return r, err
}
