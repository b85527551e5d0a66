package main

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	ghsecrets "github.com/tourniquet-ir/tourniquet/integrations/secretstores/github"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/inventory"
)

// suggestion is one entry as inventory.yaml would hold it.
type suggestion struct {
	Provider   string              `yaml:"provider" json:"provider"`
	Account    string              `yaml:"account" json:"account"`
	ID         string              `yaml:"id" json:"id"`
	Name       string              `yaml:"-" json:"name,omitempty"`
	Hint       string              `yaml:"-" json:"hint,omitempty"`
	Dependents []map[string]string `yaml:"dependents,omitempty" json:"dependents,omitempty"`
}

// suggestions is what exists and is not in the inventory.
type suggestions struct {
	Keys    []suggestion        `json:"keys"`
	Secrets []map[string]string `json:"secrets"` // of GitHub, which look as if they held a key of a provider
	Silent  []string            `json:"silent"`  // what could not be looked into, and why
}

func (sh *shell) inventorySuggest(ctx context.Context, repos []string) error {
	s, inv, err := sh.known()
	if err != nil {
		return err
	}
	found := &suggestions{Keys: []suggestion{}, Secrets: []map[string]string{}, Silent: []string{}}
	if err := found.keys(ctx, s, inv); err != nil {
		return err
	}
	if err := found.secrets(ctx, s, inv, repos); err != nil {
		return err
	}
	if sh.JSON {
		return sh.printJSON(found)
	}
	return sh.saySuggestions(found)
}

func (f *suggestions) keys(ctx context.Context, s settings, inv *inventory.Inventory) error {
	list, err := accounts(s)
	if err != nil {
		return err
	}
	for _, a := range list {
		at := a.Provider.Name() + " " + a.Name
		lister, can := a.Provider.(keys.Lister)
		if !can {
			f.Silent = append(f.Silent, at+": this provider's keys cannot be listed")
			continue
		}
		var all []incident.Key
		if err := within(ctx, func(ctx context.Context) (err error) { all, err = lister.List(ctx); return err }); err != nil {
			f.Silent = append(f.Silent, at+": "+err.Error())
			continue
		}
		for _, k := range all {
			_, byID := inv.Lookup(k.Provider, a.Name, k.ID)
			_, byUID := inv.Lookup(k.Provider, a.Name, k.UID)
			if !byID && !byUID {
				f.Keys = append(f.Keys, suggestion{Provider: k.Provider, Account: a.Name, ID: k.ID, Name: k.Name, Hint: k.Hint})
			}
		}
	}
	return nil
}

// telling are names of secrets that say which provider's key they hold.
var telling = regexp.MustCompile(`(?i)(GEMINI|GOOGLE_(AI|API|APPLICATION_CREDENTIALS)|GCP_(SA|CREDENTIALS)|AWS_(SECRET_ACCESS_KEY|BEARER_TOKEN_BEDROCK)|OPENAI|ANTHROPIC|CLAUDE|BEDROCK|OPENROUTER|LITELLM)`)

func (f *suggestions) secrets(ctx context.Context, s settings, inv *inventory.Inventory, repos []string) error {
	git, err := gitHub(s)
	if err != nil || git.API == nil {
		return err
	}
	store, taken := ghsecrets.New(git.API), map[string]bool{}
	where, environments := map[string]bool{}, map[string][]string{}
	for _, r := range repos {
		if strings.Count(r, "/") != 1 {
			return misuse("--repo takes owner/name, not %q", r)
		}
		where[r] = true
	}
	for _, e := range inv.Entries() {
		for _, d := range e.Dependents {
			taken[fmt.Sprint(d.Kind, d.Address)] = true
			if d.Address["owner"] != "" {
				r := d.Address["owner"] + "/" + d.Address["repo"]
				where[r] = true
				if env := d.Address["environment"]; env != "" && !slices.Contains(environments[r], env) {
					environments[r] = append(environments[r], env)
				}
			}
		}
	}
	for _, r := range slices.Sorted(maps.Keys(where)) {
		owner, repo, _ := strings.Cut(r, "/")
		var found []incident.Dependent
		if err := within(ctx, func(ctx context.Context) (err error) {
			found, err = store.Secrets(ctx, owner, repo, environments[r]...)
			return err
		}); err != nil {
			f.Silent = append(f.Silent, r+": "+err.Error())
			continue
		}
		for _, d := range found {
			if telling.MatchString(d.Address["name"]) && !taken[fmt.Sprint(d.Kind, d.Address)] {
				d.Address["kind"] = d.Kind
				f.Secrets = append(f.Secrets, d.Address)
			}
		}
	}
	return nil
}

func (sh *shell) saySuggestions(f *suggestions) error {
	if len(f.Keys) == 0 && len(f.Secrets) == 0 {
		if err := sh.say("# nothing is missing of what could be looked into"); err != nil {
			return err
		}
	}
	if len(f.Keys) > 0 {
		if err := sh.say("# keys that the inventory does not know: add an owner, critical and dependents"); err != nil {
			return err
		}
		for _, k := range f.Keys {
			text, err := yaml.Marshal([]suggestion{k})
			if err != nil {
				return err
			}
			if err := sh.say("# %q %s\n%s", k.Name, k.Hint, strings.TrimRight(string(text), "\n")); err != nil {
				return err
			}
		}
	}
	if len(f.Secrets) > 0 {
		if err := sh.say("# secrets whose names tell of a key: add each under dependents of the key that it holds"); err != nil {
			return err
		}
		text, err := yaml.Marshal(f.Secrets)
		if err != nil {
			return err
		}
		if err := sh.say("%s", strings.TrimRight(string(text), "\n")); err != nil {
			return err
		}
	}
	for _, why := range f.Silent {
		if err := sh.say("# not looked into: %s", why); err != nil {
			return err
		}
	}
	return nil
}
