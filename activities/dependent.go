package activities

import (
	"context"
	"errors"
	"fmt"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/secretstores"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
)

// deployer finds who restarts dependents in this way.
func (h *House) deployer(kind string) (secretstores.Deployer, error) {
	for _, s := range h.Stores {
		if d, ok := s.(secretstores.Deployer); ok && d.Deploys() == kind {
			return d, nil
		}
	}
	return nil, keys.Permanent(fmt.Errorf("nothing that restarts dependents by %q is configured under secret_stores", kind))
}

// place is a dependent with its store, as a call names it.
func (h *House) place(in In) (incident.Dependent, secretstores.Store, error) {
	d, err := in.Dependent("dependent")
	if err != nil {
		return d, nil, err
	}
	s, err := h.store(d)
	return d, s, err
}

// order is what every write of a call carries. A repeat of the call carries the same.
func order(in In, value []byte) secretstores.Change {
	return secretstores.Change{
		Value: value, Over: signedState(in), Token: callID(*in.Grant, in.Step), At: in.Grant.Envelope.Issued,
	}
}

// moved has people asked anew where the store itself found another state than they saw.
func moved(err error) error {
	if errors.Is(err, secretstores.ErrMoved) {
		return refuse(wire.ErrDrifted, err.Error())
	}
	return err
}

// deploy restarts a dependent, where the inventory says how.
func (h *House) deploy(ctx context.Context, d incident.Dependent, c secretstores.Change) (string, error) {
	kind := secretstores.DeployKind(d)
	if kind == "" {
		return "", nil
	}
	by, err := h.deployer(kind)
	if err != nil {
		return "", err
	}
	receipt, err := by.Deploy(ctx, d, c)
	if err != nil {
		return "", fmt.Errorf("%s has the value in its store, but is not deployed yet: %w", d.ID, err)
	}
	return " " + receipt, nil
}

// deployable refuses beforehand what deploy would refuse.
func (h *House) deployable(ctx context.Context, d incident.Dependent) error {
	kind := secretstores.DeployKind(d)
	if kind == "" {
		return nil
	}
	by, err := h.deployer(kind)
	if err != nil {
		return err
	}
	return by.Deployable(ctx, d)
}

// newValue opens the sealed value of a key. The caller clears it.
func (h *House) newValue(ctx context.Context, k incident.Key, d incident.Dependent) ([]byte, error) {
	if k.Secret == nil {
		return nil, keys.Permanent(fmt.Errorf("the value of %s is not known to us, so %s cannot get it", k.Target(), d.ID))
	}
	value, err := h.DB.OpenSealed(ctx, *k.Secret)
	if err != nil {
		return nil, keys.Permanent(fmt.Errorf("the sealed value of %s cannot be opened: %w", k.Target(), err))
	}
	return value, nil
}

func dependentTarget(d incident.Dependent) string { return d.Kind + " " + d.ID }

// whatHappensTo words a dependent's future for the card.
func whatHappensTo(d incident.Dependent, holds string) string {
	if secretstores.DeployKind(d) == "" {
		return holds + "; nothing restarts it, so it takes the value when it reads its store again"
	}
	return holds + ", and is restarted"
}
