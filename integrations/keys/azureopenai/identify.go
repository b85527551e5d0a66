package azureopenai

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// slot is one of the two keys.
type slot struct{ name, value string }

// Identify compares a value with both keys of the resource, or finds a slot by its name. A hint may fit both.
func (p *Provider) Identify(ctx context.Context, clue incident.Clue, secret []byte) ([]incident.Key, error) {
	value := strings.TrimSpace(string(secret))
	wanted, named := p.slotOf(clue.ID)
	if value == "" && !named && clue.Hint == "" {
		return nil, nil
	}
	list, err := p.slots(ctx)
	if err != nil {
		return nil, err
	}
	var found []incident.Key
	for _, s := range list {
		fits := false
		switch {
		case value != "": // both are compared whatever the first comparison says, and in constant time
			fits = subtle.ConstantTimeCompare([]byte(value), []byte(s.value)) == 1
		case named:
			fits = s.name == wanted
		default:
			fits = hintOf(s.value) == clue.Hint
		}
		if fits {
			found = append(found, p.noun(s))
		}
	}
	return found, nil
}

// slotOf reads an id: RESOURCE/key1, key1 or Key1.
func (p *Provider) slotOf(id string) (string, bool) {
	name := strings.ToLower(strings.TrimPrefix(id, p.cfg.Resource+"/"))
	return name, name == "key1" || name == "key2"
}

// slots reads both keys. Their values never leave this package but for one that is handed over.
func (p *Provider) slots(ctx context.Context) (out []slot, err error) {
	err = p.read(ctx, fmt.Sprintf("listing the keys of %q", p.cfg.Resource), func() error {
		got, err := p.accounts.ListKeys(ctx, p.cfg.ResourceGroup, p.cfg.Resource, nil)
		if err != nil {
			return p.orClosed(err)
		}
		if got.Key1 == nil || got.Key2 == nil || len(*got.Key1) < 16 || len(*got.Key2) < 16 {
			return fmt.Errorf("the answer does not hold two keys")
		}
		out = []slot{{"key1", *got.Key1}, {"key2", *got.Key2}}
		return nil
	})
	return out, err
}

func (p *Provider) noun(s slot) incident.Key {
	return incident.Key{
		Provider: providerName, Account: p.cfg.Account, Project: p.cfg.ResourceGroup, ID: p.cfg.Resource + "/" + s.name, Name: s.name,
		UID: p.fingerprint(s.value), Hint: hintOf(s.value), OwnerKind: "resource", Dependents: []incident.Dependent{},
	}
}

// fingerprint tells one value of a slot from the next. Keys are long and random, so it gives nothing away.
func (p *Provider) fingerprint(value string) string {
	sum := sha256.Sum256([]byte("tourniquet/azure_openai/v1\n" + p.cfg.Subscription + "/" + p.cfg.Resource + "\n" + value))
	return hex.EncodeToString(sum[:8])
}

func hintOf(value string) string {
	if len(value) < 16 {
		return "…"
	}
	return value[:4] + "…" + value[len(value)-4:]
}
