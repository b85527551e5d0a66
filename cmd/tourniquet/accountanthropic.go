package main

import (
	"fmt"

	"github.com/tourniquet-ir/tourniquet/activities"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/anthropic"
	"github.com/tourniquet-ir/tourniquet/internal/prices"
)

func anthropicAccounts(s settings) (out []activities.Account, err error) {
	table, err := prices.New(s.Config.Watch.Prices...)
	if err != nil {
		return nil, err
	}
	for _, c := range s.Config.Providers.Anthropic {
		key, err := c.AdminKey.Resolve(s.Env)
		if err != nil {
			return nil, fmt.Errorf("providers.anthropic account %q: %w", c.Account, err)
		}
		p, err := anthropic.New(anthropic.Config{HTTPClient: s.client("anthropic", c.Account), Account: c.Account, AdminKey: key, BaseURL: c.BaseURL, Prices: table})
		if err != nil {
			return nil, err
		}
		out = append(out, activities.Account{Name: c.Account, Provider: p})
	}
	return out, nil
}
