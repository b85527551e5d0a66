package main

import (
	"fmt"

	"github.com/tourniquet-ir/tourniquet/activities"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/litellm"
)

func litellmAccounts(s settings) (out []activities.Account, err error) {
	for _, c := range s.Config.Providers.LiteLLM {
		key, err := c.MasterKey.Resolve(s.Env)
		if err != nil {
			return nil, fmt.Errorf("providers.litellm account %q: %w", c.Account, err)
		}
		p, err := litellm.New(litellm.Config{HTTPClient: s.client("litellm", c.Account), Account: c.Account, MasterKey: key, BaseURL: c.BaseURL})
		if err != nil {
			return nil, err
		}
		out = append(out, activities.Account{Name: c.Account, Provider: p})
	}
	return out, nil
}
