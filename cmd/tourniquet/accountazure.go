package main

import (
	"context"
	"fmt"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/tourniquet-ir/tourniquet/activities"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/azureopenai"
	"github.com/tourniquet-ir/tourniquet/internal/config"
)

func azureAccounts(s settings) (out []activities.Account, err error) {
	for _, c := range s.Config.Providers.AzureOpenAI {
		creds, err := azureCredential(s, c)
		if err != nil {
			return nil, fmt.Errorf("providers.azure_openai account %q: %w", c.Account, err)
		}
		p, err := azureopenai.New(azureopenai.Config{
			HTTPClient: s.client("azure_openai", c.Account), Account: c.Account, Subscription: c.Subscription, ResourceGroup: c.ResourceGroup, Resource: c.Resource, Credential: creds,
			ARM: c.Endpoints["arm"], Inference: c.Endpoints["inference"], MicroUSDPerRequest: c.MicroUSDPerRequest, PriceBasis: c.PriceBasis,
		})
		if err != nil {
			return nil, err
		}
		out = append(out, activities.Account{Name: c.Account, Provider: p})
	}
	return out, nil
}

// azureCredential is the responder's own: a fixed token, an application's secret, or what Azure's client finds in
// environment and machine. Nothing is called here.
func azureCredential(s settings, c config.AzureOpenAI) (azcore.TokenCredential, error) {
	if c.AccessToken != "" {
		token, err := c.AccessToken.Resolve(s.Env)
		return fixedToken(token), err
	}
	if c.ClientSecret != "" {
		secret, err := c.ClientSecret.Resolve(s.Env)
		if err != nil {
			return nil, fmt.Errorf("client_secret: %w", err)
		}
		return azidentity.NewClientSecretCredential(c.TenantID, c.ClientID, secret, nil)
	}
	return azidentity.NewDefaultAzureCredential(&azidentity.DefaultAzureCredentialOptions{TenantID: c.TenantID})
}

// fixedToken is a token that somebody else keeps fresh.
type fixedToken string

// GetToken gives it, whatever it is for.
func (f fixedToken) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: string(f), ExpiresOn: time.Now().Add(time.Hour)}, nil
}
