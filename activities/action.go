package activities

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

// Action is one thing we can do.
type Action struct {
	Card playbooks.Card
	Op   keys.Op // the provider's operation behind it, whose declaration says who can do it and who can take it back
	// DryRun reads the target and says what Run would do; undoable and final actions have one.
	DryRun func(ctx context.Context, h *House, in In) (Entry, error)
	Run    func(ctx context.Context, h *House, in In) (Output, error)
	// Landed says of a call whose answer was lost that it arrived, from the target as it is now.
	// It may finish what may be repeated; it never makes the final call again.
	Landed func(ctx context.Context, h *House, in In, now Entry, signed map[string]string) (Output, bool, error)
	// Keep makes the undo record where that takes more than reading the target: a value is sealed, never written down.
	Keep func(ctx context.Context, h *House, in In, e Entry) (json.RawMessage, error)
}

// changes reports whether the action does something that needs policy or people.
func (a Action) changes() bool {
	return a.Card.Effect == signoff.EffectUndoable || a.Card.Effect == signoff.EffectFinal
}

// Entry is what a dry run found: one line of a plan.
type Entry struct {
	Target  string            // names exactly what is changed
	State   map[string]string // only the fields that the call changes or relies on
	Done    bool              // the wanted end state holds already
	Nothing string            // why there is nothing to do here, empty otherwise
	Reach   string
	Before  string
	After   string
	Undo    string          // in words; empty where it cannot be taken back
	Record  json.RawMessage // what the undo action needs
	Hands   time.Duration   // how long a person's part in it may take
	// Undoable makes the effect on this target milder than a card that says final.
	Undoable bool
	// Leaves nothing: the call changes nothing on this target that could be taken back, so no way back is written down.
	LeavesNothing bool
}

// Output is what an action gives back.
type Output struct {
	Values  map[string]any
	Summary string
	Request string            // provider's request id
	Left    map[string]string // fields of the target as we left it, for the undo record
	Target  string            // names the target for the undo record, where it did not exist before the call
	UsedUp  []string          // steps whose effect is not in force any more, because this call made use of what they made
}

// In is a call with its inputs within reach.
type In struct{ wire.Call }

// Text is a string input, "" when absent.
func (in In) Text(name string) string {
	s, _ := in.With[name].(string)
	return s
}

// Time is a time input; zero when absent.
func (in In) Time(name string) time.Time {
	at, err := time.Parse(time.RFC3339Nano, in.Text(name))
	if err != nil {
		return time.Time{}
	}
	return at
}

// Key is a key input.
func (in In) Key(name string) (incident.Key, error) {
	var k incident.Key
	if err := in.as(name, &k); err != nil {
		return k, err
	}
	if k.Provider == "" || k.ID == "" {
		return k, keys.Permanent(fmt.Errorf("input %q names no key", name))
	}
	return k, nil
}

// Dependent is a dependent input.
func (in In) Dependent(name string) (incident.Dependent, error) {
	var d incident.Dependent
	if err := in.as(name, &d); err != nil {
		return d, err
	}
	if d.Kind == "" {
		return d, keys.Permanent(fmt.Errorf("input %q names no dependent", name))
	}
	return d, nil
}

func (in In) as(name string, into any) error {
	raw, err := json.Marshal(in.With[name])
	if err == nil {
		err = json.Unmarshal(raw, into)
	}
	if err != nil {
		return keys.Permanent(fmt.Errorf("input %q has the wrong shape: %w", name, err))
	}
	return nil
}

// fieldsInWords is a state as people read it: name and value, sorted by name.
func fieldsInWords(fields map[string]string) string {
	words := make([]string, 0, len(fields))
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		words = append(words, strings.ReplaceAll(name, "_", " ")+" "+fields[name])
	}
	return strings.Join(words, ", ")
}
