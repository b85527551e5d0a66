package main

import (
	"fmt"

	"github.com/tourniquet-ir/tourniquet/activities"
	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/anthropic"
	"github.com/tourniquet-ir/tourniquet/internal/config"
)

func anthropicAccounts(s settings) (out []activities.Account, err error) {
	for _, c := range s.Config.Providers.Anthropic {
		key, err := c.AdminKey.Resolve(s.Env)
		if err != nil {
			return nil, fmt.Errorf("providers.anthropic account %q: %w", c.Account, err)
		}
		p, err := anthropic.New(anthropic.Config{Account: c.Account, AdminKey: key, BaseURL: c.BaseURL, Prices: priceList(c.Prices, c.Basis)})
		if err != nil {
			return nil, err
		}
		out = append(out, activities.Account{Name: c.Account, Provider: p})
	}
	return out, nil
}

func priceList(list map[string]config.Price, basis string) keys.Prices {
	out := keys.Prices{Models: map[string]keys.Price{}, Basis: basis}
	for model, p := range list {
		out.Models[model] = keys.Price{Input: p.Input, Output: p.Output}
	}
	return out
}
