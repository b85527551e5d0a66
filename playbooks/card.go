package playbooks

// Card is what the language knows of an action. activities declare them; lint, docs and schema print them.
type Card struct {
	Name     string // noun.verb
	Summary  string // one sentence
	Effect   string // signoff.Effect…: declared here and nowhere else
	Inputs   []Field
	Outputs  []Field
	Undo     string         // action that takes it back, for undoable
	Example  map[string]any // outputs of an example call; mocks default to it
	Timeout  string         // default per attempt, as "30s"
	Attempts int            // default attempts; final actions have 1
	Repeat   bool           // sending the same call twice has the same effect ("repeatable")
	Local    bool           // observe, notify, undoable: try locally first
	// FinalWhen says, for cards whose effect depends on the target (dependent.update), which declared effect
	// the linter must assume: always the worse one, Effect.
	TargetInput string   // the input that names what it changes, as "key" or "dependent"
	After       []string // actions on the same target that leave this one's target state as it was, so that both may stand under one sign-off
	Reads       []string // inputs of which a later step may be the maker even under sign-off ("key" of dependent.update)
}

// Field types of the language.
const (
	TypeString   = "string"
	TypeInt      = "int"
	TypeFloat    = "float"
	TypeBool     = "bool"
	TypeTime     = "time"
	TypeDuration = "duration"
	TypeKey      = "key"
	TypeDepend   = "dependent"
	TypeStrings  = "strings"
	TypeAny      = "any"
)

// Field is one input or output.
type Field struct {
	Name     string
	Type     string
	Required bool // inputs: must be given; outputs: always present
	Doc      string
}

// Catalog is the set of actions a playbook may use.
type Catalog map[string]Card

// World is what linting needs from outside: actions, group names, ids of other playbooks with their source.
type World struct {
	Actions   Catalog
	Groups    map[string]int    // group name -> number of people, -1 where unknown
	Playbooks map[string][]byte // id -> source, for sub-playbooks
	// Offers is what each provider declares about an action on keys: provider -> action. Providers that are left out
	// offer everything.
	Offers     map[string]map[string]Offer
	Configured []string // providers that have an account; a playbook that names none may meet each of them
}

// Offer is what a provider declares about one action.
type Offer struct {
	Can    bool
	ByHand string // where a person does it, for what programs cannot
	Why    string // why programs cannot
}
