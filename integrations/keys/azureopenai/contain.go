package azureopenai

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/cognitiveservices/armcognitiveservices"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// before is the undo of a containment.
type before struct {
	LocalAuth *bool `json:"local_auth"`
}

// State reads what op relies on.
func (p *Provider) State(ctx context.Context, op keys.Op, key incident.Key) (keys.State, error) {
	switch op {
	case keys.OpSessions:
		return keys.State{Fields: map[string]string{}, Done: true}, nil
	case keys.OpRevoke, keys.OpCreate:
		holds, err := p.holds(ctx, key)
		if op == keys.OpRevoke && isClosed(err) {
			// Contained: nobody is shown what the slot holds. Revoke looks again before it regenerates.
			holds, err = true, nil
		}
		return keys.State{Fields: map[string]string{"exists": strconv.FormatBool(holds)}, Done: op == keys.OpRevoke && !holds}, err
	}
	on, err := p.localAuth(ctx)
	if err != nil {
		return keys.State{}, err
	}
	undo, err := json.Marshal(before{LocalAuth: &on})
	return keys.State{Fields: authFields(on), Done: op == keys.OpContain && !on, Undo: undo}, err
}

func authFields(on bool) map[string]string {
	return map[string]string{"key_authentication": map[bool]string{true: "on", false: "off"}[on]}
}

// localAuth reports whether the resource takes keys at all.
func (p *Provider) localAuth(ctx context.Context) (on bool, err error) {
	err = p.read(ctx, fmt.Sprintf("reading the resource %q", p.cfg.Resource), func() error {
		got, err := p.accounts.Get(ctx, p.cfg.ResourceGroup, p.cfg.Resource, nil)
		if err != nil {
			return err
		}
		if got.Properties == nil {
			return fmt.Errorf("the answer holds no properties")
		}
		on = got.Properties.DisableLocalAuth == nil || !*got.Properties.DisableLocalAuth
		return nil
	})
	return on, err
}

// Contain switches key authentication off.
func (p *Provider) Contain(ctx context.Context, _ incident.Key) (keys.Receipt, error) {
	got, err := p.setLocalAuth(ctx, false)
	got.Summary = fmt.Sprintf("Key authentication of %q is off: both its keys stop, within minutes", p.cfg.Resource)
	return got, err
}

// Restore switches key authentication back to what it was.
func (p *Provider) Restore(ctx context.Context, _ incident.Key, undo json.RawMessage) (keys.Receipt, error) {
	var was before
	if err := json.Unmarshal(undo, &was); err != nil || was.LocalAuth == nil {
		return keys.Receipt{}, keys.Permanent(fmt.Errorf("the undo record of %q cannot be read, put its key authentication back by hand", p.cfg.Resource))
	}
	got, err := p.setLocalAuth(ctx, *was.LocalAuth)
	got.Summary = fmt.Sprintf("Key authentication of %q is %s again, as before", p.cfg.Resource, authFields(*was.LocalAuth)["key_authentication"])
	return got, err
}

// setLocalAuth is one call and, where Azure takes its time, looks until it says that it is done. It may be repeated.
func (p *Provider) setLocalAuth(ctx context.Context, on bool) (keys.Receipt, error) {
	what := fmt.Sprintf("switching key authentication of %q %s", p.cfg.Resource, authFields(on)["key_authentication"])
	off := !on
	poller, err := p.accounts.BeginUpdate(ctx, p.cfg.ResourceGroup, p.cfg.Resource,
		armcognitiveservices.Account{Properties: &armcognitiveservices.AccountProperties{DisableLocalAuth: &off}}, nil)
	if err != nil {
		return keys.Receipt{}, explain(what, err)
	}
	got, err := poller.PollUntilDone(ctx, &runtime.PollUntilDoneOptions{Frequency: time.Second})
	if err != nil {
		return keys.Receipt{}, explain(what, err)
	}
	if got.Properties == nil || got.Properties.DisableLocalAuth == nil || *got.Properties.DisableLocalAuth != off {
		return keys.Receipt{}, fmt.Errorf("%s: Azure's answer does not say that it is so", what)
	}
	return keys.Receipt{After: authFields(on)}, nil
}
