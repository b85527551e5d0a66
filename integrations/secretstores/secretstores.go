package secretstores

import (
	"context"
	"encoding/json"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// State is what an update relies on and changes.
type State struct {
	Fields    map[string]string // that the secret exists, and which version it is; never a value
	ChangedAt time.Time         // when the value was written last; zero where the store does not tell
	// Undo is how Restore puts this state back: a version, never a value. nil: this update cannot be taken back.
	Undo json.RawMessage
}

// Change is one update. Token and At are the same for every repeat of one call, so that a repeat changes nothing.
type Change struct {
	Value []byte
	Over  map[string]string // State.Fields as people saw them: whatever else is found there is not written over
	Token string            // names the call: 16 to 64 letters, digits and hyphens
	At    time.Time         // marks a restart
}

// Health is the answer of a check.
type Health struct {
	Healthy bool
	Detail  string
}

// Store keeps secrets for dependents. Errors that a retry cannot mend are keys.PermanentError; a state that is not the one
// in Change.Over is ErrMoved.
type Store interface {
	Kinds() []string // the dependent kinds that it serves
	Undo() string    // how an update is taken back, in words; empty where the store never gives a value back
	State(ctx context.Context, d incident.Dependent) (State, error)
	// Update writes a value and returns a short receipt. It restarts nothing.
	Update(ctx context.Context, d incident.Dependent, c Change) (receipt string, err error)
	// Restore puts back what undo names. old is the earlier value where the store is a Keeper.
	Restore(ctx context.Context, d incident.Dependent, undo json.RawMessage, old []byte, c Change) (receipt string, err error)
	// Holds tells whether what the dependent reads now can be read, and is value, as far as the store lets one see.
	Holds(ctx context.Context, d incident.Dependent, value []byte) (Health, error)
	// Ready proves, without any permission, that the configured credentials can be had and are taken; for doctor. A service
	// that offers no such call is not asked: the state of its dependents tells.
	Ready(ctx context.Context) error
}

// Keeper is a store without versions: its caller reads and seals the value before it is written over.
type Keeper interface {
	Old(ctx context.Context, d incident.Dependent) ([]byte, error)
}

// Reader gives a value out, for the references of the configuration. Its errors hold nothing of a value.
type Reader interface {
	Value(ctx context.Context, d incident.Dependent) ([]byte, error)
}

// Deployer makes a dependent use what its store holds now, whichever store that is.
type Deployer interface {
	Deploys() string // DeployWorkflow or DeployRollout
	// Deployable refuses, before anything is written, what Deploy would refuse.
	Deployable(ctx context.Context, d incident.Dependent) error
	Deploy(ctx context.Context, d incident.Dependent, c Change) (receipt string, err error)
	// Deployed tells how the newest deployment went; one that began before since proves nothing.
	Deployed(ctx context.Context, d incident.Dependent, since time.Time) (Health, error)
}

// Kinds of deployment, and of the check that looks at one.
const (
	DeployWorkflow = "workflow" // a GitHub workflow is dispatched
	DeployRollout  = "rollout"  // a Kubernetes workload is restarted
)

// DeployKind is what the redeploy section of a dependent asks for; empty when it has none.
func DeployKind(d incident.Dependent) string {
	for _, workload := range []string{"deployment", "statefulset", "daemonset"} {
		if d.Redeploy[workload] != "" {
			return DeployRollout
		}
	}
	if d.Redeploy["workflow"] != "" {
		return DeployWorkflow
	}
	return ""
}
