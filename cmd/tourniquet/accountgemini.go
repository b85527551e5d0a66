package main

import (
	"context"
	"fmt"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"

	"github.com/tourniquet-ir/tourniquet/activities"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/gemini"
	"github.com/tourniquet-ir/tourniquet/internal/config"
	"github.com/tourniquet-ir/tourniquet/internal/outbound"
)

func geminiAccounts(s settings) (out []activities.Account, err error) {
	for _, c := range s.Config.Providers.Gemini {
		tokens, err := googleTokens(s, c)
		if err != nil {
			return nil, fmt.Errorf("providers.gemini account %q: %w", c.Account, err)
		}
		p, err := gemini.New(gemini.Config{HTTPClient: s.client("gemini", c.Account), Account: c.Account, Project: c.Project, TokenSource: tokens, Endpoints: gemini.Endpoints{
			APIKeys: c.Endpoints["api_keys"], ServiceUsage: c.Endpoints["service_usage"], Monitoring: c.Endpoints["monitoring"],
			Logging: c.Endpoints["logging"], Generative: c.Endpoints["generative"], IAM: c.Endpoints["iam"], Token: c.Endpoints["token"],
		}, Measure: c.Measure, MicroUSDPerRequest: c.MicroUSDPerRequest, PriceBasis: c.PriceBasis})
		if err != nil {
			return nil, err
		}
		out = append(out, activities.Account{Name: c.Account, Provider: p})
	}
	return out, nil
}

func googleTokens(s settings, c config.Gemini) (oauth2.TokenSource, error) {
	const scope = "https://www.googleapis.com/auth/cloud-platform"
	if c.AccessToken != "" {
		token, err := c.AccessToken.Resolve(s.Env)
		return oauth2.StaticTokenSource(&oauth2.Token{AccessToken: token}), err
	}
	// Without a client of ours the library would ask for tokens with one that waits for ever and follows redirects.
	ctx := context.WithValue(context.Background(), oauth2.HTTPClient, outbound.Client(outbound.Options{}))
	if c.CredentialsFile == "" {
		found, err := google.FindDefaultCredentials(ctx, scope)
		if err != nil {
			return nil, fmt.Errorf("no application default credentials were found: %w", err)
		}
		return found.TokenSource, nil
	}
	return credentialsFrom(ctx, s.Config.At(c.CredentialsFile), scope)
}
