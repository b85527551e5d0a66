package keys

import (
	"context"
	"encoding/json"
)

// ProjectStopper is a provider that can switch its API off for a whole project: the measure for when money runs and nobody
// can name the key. One account is one project.
type ProjectStopper interface {
	// CanStop says what stopping does and how it is taken back.
	CanStop() Capability
	// ProjectState reads whether the project's API is on.
	ProjectState(ctx context.Context) (State, error)
	StopProject(ctx context.Context) (Receipt, error)
	// StartProject puts back what ProjectState recorded before the stop.
	StartProject(ctx context.Context, undo json.RawMessage) (Receipt, error)
}
