package activities

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/secretstores"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/outbound"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

func dependentCheck() Action {
	return Action{
		Card: playbooks.Card{
			Name: "dependent.check", Effect: signoff.EffectObserve, Local: true, Repeat: true, Timeout: "30s", Attempts: 5,
			Summary: "Ask whether a dependent works with the key that it has now",
			Inputs: []playbooks.Field{
				{Name: "dependent", Type: playbooks.TypeDepend, Required: true, Doc: "from the inventory"},
				{Name: "key", Type: playbooks.TypeKey, Doc: "the key that it should hold: its store is read too where it shows values; the check by usage needs it"},
			},
			Outputs: []playbooks.Field{
				{Name: "healthy", Type: playbooks.TypeBool, Required: true, Doc: "it works"},
				{Name: "detail", Type: playbooks.TypeString, Required: true, Doc: "what was seen"},
			},
			Example: map[string]any{"healthy": true, "detail": "the last deploy succeeded"},
		},
		Run: checkDependent,
	}
}

// Kinds of check beside those that look at a deployment.
const (
	checkHTTP  = "http"
	checkUsage = "usage"
	checkStore = "store"
)

func checkDependent(ctx context.Context, h *House, in In) (Output, error) {
	d, s, err := h.place(in)
	if err != nil {
		return Output{}, err
	}
	got, err := h.holds(ctx, in, d, s)
	if kind := checkKind(d); err == nil && got.Healthy && kind != checkStore {
		got, err = h.checkBy(ctx, kind, in, d, s)
	}
	return Output{Summary: got.Detail, Values: map[string]any{"healthy": got.Healthy, "detail": got.Detail}}, err
}

// checkKind is what the inventory asks for; the deployment by default, and the store where there is none.
func checkKind(d incident.Dependent) string {
	if kind := d.Check["kind"]; kind != "" {
		return kind
	}
	if kind := secretstores.DeployKind(d); kind != "" {
		return kind
	}
	return checkStore
}

// holds looks at the store: always where nothing else is checked, and for the very value where the key is given.
func (h *House) holds(ctx context.Context, in In, d incident.Dependent, s secretstores.Store) (secretstores.Health, error) {
	if in.With["key"] == nil {
		if checkKind(d) != checkStore {
			return secretstores.Health{Healthy: true}, nil
		}
		return s.Holds(ctx, d, nil)
	}
	k, err := in.Key("key")
	if err != nil {
		return secretstores.Health{}, err
	}
	value, err := h.newValue(ctx, k, d)
	if err != nil {
		return secretstores.Health{}, err
	}
	defer clear(value)
	return s.Holds(ctx, d, value)
}

func (h *House) checkBy(ctx context.Context, kind string, in In, d incident.Dependent, s secretstores.Store) (secretstores.Health, error) {
	switch kind {
	case secretstores.DeployWorkflow, secretstores.DeployRollout:
		by, err := h.deployer(kind)
		if err != nil {
			return secretstores.Health{}, err
		}
		st, err := s.State(ctx, d)
		if err != nil {
			return secretstores.Health{}, err
		}
		return by.Deployed(ctx, d, st.ChangedAt)
	case checkHTTP:
		return h.checkHTTP(ctx, d)
	case checkUsage:
		return h.checkUsage(ctx, in, d, s)
	}
	return secretstores.Health{}, keys.Permanent(fmt.Errorf("dependent %q: the check kind %q is not one of workflow, rollout, http, usage, store", d.ID, kind))
}

// checkHTTP asks the address that the inventory names. It may carry a token in its query: only the host is named.
func (h *House) checkHTTP(ctx context.Context, d incident.Dependent) (secretstores.Health, error) {
	want := http.StatusOK
	if t := d.Check["status"]; t != "" {
		n, err := strconv.Atoi(t)
		if err != nil {
			return secretstores.Health{}, keys.Permanent(fmt.Errorf("dependent %q: the check status %q is not a number", d.ID, t))
		}
		want = n
	}
	got, err := h.Outbound.Status(ctx, d.Check["url"])
	switch {
	case errors.Is(err, outbound.ErrRefused):
		return secretstores.Health{}, keys.Permanent(fmt.Errorf("dependent %q: its check url: %w", d.ID, err))
	case ctx.Err() != nil:
		return secretstores.Health{}, ctx.Err()
	case err != nil:
		return secretstores.Health{Detail: got.Host + " does not answer"}, nil //nolint:nilerr // no answer is the answer
	}
	return secretstores.Health{Healthy: got.Code == want, Detail: fmt.Sprintf("%s answered %d, wanted %d", got.Host, got.Code, want)}, nil
}

// checkUsage asks the provider whether the new key is used. Providers tell that minutes later.
func (h *House) checkUsage(ctx context.Context, in In, d incident.Dependent, s secretstores.Store) (secretstores.Health, error) {
	if in.With["key"] == nil {
		return secretstores.Health{}, keys.Permanent(fmt.Errorf("dependent %q is checked by usage: give dependent.check the new key as \"key\"", d.ID))
	}
	p, k, err := h.target(in, "key")
	if err != nil {
		return secretstores.Health{}, err
	}
	st, err := s.State(ctx, d)
	if err != nil {
		return secretstores.Health{}, err
	}
	since := st.ChangedAt
	if since.IsZero() {
		since = h.Now().Add(-time.Hour)
	}
	u, err := p.Usage(keys.Quick(ctx), k, since, h.Now())
	used := fmt.Sprintf("the new key was used %d times", u.Requests)
	if u.NoRequests {
		used = fmt.Sprintf("the new key used %d tokens", u.Tokens)
	}
	return secretstores.Health{Healthy: u.Requests > 0 || u.Tokens > 0, Detail: used + " since " + since.UTC().Format("15:04:05 UTC")}, err
}
