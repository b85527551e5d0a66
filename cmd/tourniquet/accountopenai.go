package main

import (
	"fmt"

	"github.com/tourniquet-ir/tourniquet/activities"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/openai"
)

func openaiAccounts(s settings) (out []activities.Account, err error) {
	for _, c := range s.Config.Providers.OpenAI {
		key, err := c.AdminKey.Resolve(s.Env)
		if err != nil {
			return nil, fmt.Errorf("providers.openai account %q: %w", c.Account, err)
		}
		p, err := openai.New(openai.Config{
			HTTPClient: s.client("openai", c.Account), Account: c.Account, Project: c.Project, AdminKey: key, BaseURL: c.BaseURL, Measure: c.Measure, Replacement: c.ReplacementProject,
		})
		if err != nil {
			return nil, err
		}
		out = append(out, activities.Account{Name: c.Account, Provider: p})
	}
	return out, nil
}
