package main

import (
	"fmt"

	"github.com/tourniquet-ir/tourniquet/activities"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/openrouter"
)

func openrouterAccounts(s settings) (out []activities.Account, err error) {
	for _, c := range s.Config.Providers.OpenRouter {
		key, err := c.ManagementKey.Resolve(s.Env)
		if err != nil {
			return nil, fmt.Errorf("providers.openrouter account %q: %w", c.Account, err)
		}
		p, err := openrouter.New(openrouter.Config{HTTPClient: s.client("openrouter", c.Account), Account: c.Account, ManagementKey: key, BaseURL: c.BaseURL})
		if err != nil {
			return nil, err
		}
		out = append(out, activities.Account{Name: c.Account, Provider: p})
	}
	return out, nil
}
