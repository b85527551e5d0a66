package activities

import (
	"context"
	"fmt"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/secretstores"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// Survey says, reading only, whether a dependent could be given a new key: its secret is there, whoever restarts it is ready,
// and its check is one that can be made. It is what inventory check asks.
func (h *House) Survey(ctx context.Context, d incident.Dependent) (string, error) {
	s, err := h.store(d)
	if err != nil {
		return "", err
	}
	st, err := s.State(ctx, d)
	if err != nil {
		return "", err
	}
	if st.Fields["exists"] != "true" {
		return "", keys.Permanent(fmt.Errorf("there is no secret of this name, so whatever reads it has no key"))
	}
	if err := h.deployable(ctx, d); err != nil {
		return "", err
	}
	switch kind := checkKind(d); kind {
	case checkHTTP:
		if _, err := h.Outbound.URL(d.Check["url"]); err != nil {
			return "", fmt.Errorf("its check url: %w", err)
		}
	case secretstores.DeployWorkflow, secretstores.DeployRollout:
		if _, err := h.deployer(kind); err != nil {
			return "", err
		}
	}
	if st.Undo == nil {
		return "there; an update cannot be taken back", nil
	}
	return "there; an update can be taken back: " + s.Undo(), nil
}
