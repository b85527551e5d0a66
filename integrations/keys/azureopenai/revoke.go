package azureopenai

import (
	"context"
	"fmt"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/cognitiveservices/armcognitiveservices"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// holds reports whether the slot still has the value that was identified.
func (p *Provider) holds(ctx context.Context, key incident.Key) (bool, error) {
	name, known := p.slotOf(key.ID)
	if !known || key.UID == "" {
		return false, keys.Permanent(fmt.Errorf("%q is no key of the resource %q that we identified: identify it again", key.ID, p.cfg.Resource))
	}
	list, err := p.slots(ctx)
	for _, s := range list {
		if s.name == name {
			return p.fingerprint(s.value) == key.UID, nil
		}
	}
	return false, err
}

// Revoke regenerates the slot, if it still holds the value that leaked: somebody may have been faster, and a second time
// would end a key that is in use again.
func (p *Provider) Revoke(ctx context.Context, key incident.Key) (keys.Receipt, error) {
	after := map[string]string{"exists": "false"}
	holds, err := p.holds(ctx, key)
	if err != nil {
		return keys.Receipt{}, err
	}
	if !holds {
		return keys.Receipt{Summary: "The key was regenerated already", After: after}, nil
	}
	what := fmt.Sprintf("regenerating the key %q", key.ID)
	name := armcognitiveservices.KeyNameKey1
	if strings.HasSuffix(key.ID, "2") {
		name = armcognitiveservices.KeyNameKey2
	}
	got, err := p.accounts.RegenerateKey(ctx, p.cfg.ResourceGroup, p.cfg.Resource, armcognitiveservices.RegenerateKeyParameters{KeyName: &name}, nil)
	if err != nil {
		return keys.Receipt{}, explain(what, p.orClosed(err))
	}
	fresh := got.Key1
	if name == armcognitiveservices.KeyNameKey2 {
		fresh = got.Key2
	}
	if fresh == nil || p.fingerprint(*fresh) == key.UID {
		return keys.Receipt{}, fmt.Errorf("%s: Azure's answer does not say that the value is another one", what)
	}
	return keys.Receipt{Summary: fmt.Sprintf("The key %s is regenerated: its old value is dead for good", key.ID), After: after}, nil
}
