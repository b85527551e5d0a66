package sandbox

import (
	"context"
	"encoding/json"
	"net/http"
)

func azureRegenerate() Scenario {
	return leak("azure-regenerate", "one of the two keys of an Azure OpenAI resource leaks; its users move to the other key, and the leaked one is regenerated", Issuer{
		Provider: "azure_openai", SecretType: "azure_openai_key", Call: AzureCall, Serve: (*World).Azure, Secrets: adminSecret, Leak: (*World).NewAzureKey,
		LingersWhy: "Azure publishes no figure",
		Config: `{ account: demo, subscription: ` + AzureSubscription + `, resource_group: ` + AzureGroup + `, resource: ` + AzureResource + `, access_token: @secrets/provider-admin,
      endpoints: { arm: "@url", inference: "@url" },
      micro_usd_per_request: 46667, price_basis: "the sandbox's own price, 28 USD a minute at 10 calls a second" }`,
	})
}

// AzureCall is one chat completion.
func AzureCall(ctx context.Context, base, secret string, tokens int) (*http.Request, error) {
	body, _ := json.Marshal(map[string]any{ // maps of strings and numbers always encode
		"max_tokens": tokens, "messages": []any{map[string]string{"role": "user", "content": modelPrompt}},
	})
	return modelRequest(ctx, base, "/openai/deployments/"+azureDeployment+"/chat/completions?api-version=2024-10-21", "Api-Key", secret, body)
}
