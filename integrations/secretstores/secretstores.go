package secretstores

import (
	"context"
	"encoding/json"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// State is what an update relies on: that the secret exists, and which version it is (GitHub: updated_at).
type State struct {
	Fields map[string]string
	Undo   json.RawMessage // nil where the old value cannot be read back
}

// Health is the answer of a check.
type Health struct {
	Healthy bool
	Detail  string
}

// Store keeps secrets for dependents. Errors that a retry cannot mend are keys.PermanentError.
type Store interface {
	Kinds() []string // the dependent kinds that it serves
	Undoable() bool  // whether the store keeps versions that can be put back
	Redeploys() bool // whether Update also restarts the dependent
	State(ctx context.Context, d incident.Dependent) (State, error)
	// Update writes value and starts the redeploy named in the dependent; request is a short receipt id.
	Update(ctx context.Context, d incident.Dependent, value []byte) (request string, err error)
	// Restore puts the earlier version back; stores that are not Undoable return keys.ErrUnsupported.
	Restore(ctx context.Context, d incident.Dependent, undo json.RawMessage) error
	// Check tells whether the dependent works with what it has now.
	Check(ctx context.Context, d incident.Dependent) (Health, error)
}
