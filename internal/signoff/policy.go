package signoff

// Names of the parts that people have in an incident, for exclusions and named seats.
const (
	PartStarter  = "starter"
	PartKeyOwner = "key_owner"
)

// Policy is the policy section of the configuration: what may run without people, and who decides the rest.
type Policy struct {
	Undoable   UndoablePolicy `yaml:"undoable" json:"undoable"`
	Final      FinalPolicy    `yaml:"final" json:"final"`
	Undo       UndoPolicy     `yaml:"undo" json:"undo"`
	AutoLimit  AutoLimit      `yaml:"auto_limit" json:"auto_limit"`
	Responders string         `yaml:"responders" json:"responders"` // group that answers when a playbook names nobody
	Silences   SilencePolicy  `yaml:"silences" json:"silences,omitzero"`
	MayAdd     []string       `yaml:"may_add" json:"may_add,omitempty"` // groups that an escalation may make eligible; none by default
}

// UndoablePolicy is for what can be taken back.
type UndoablePolicy struct {
	AutoIf         string `yaml:"auto_if" json:"auto_if"` // expression over source.trust, key.critical, key.known, reach
	DefaultSignoff []Seat `yaml:"default_signoff" json:"default_signoff"`
}

// FinalPolicy is for what cannot be taken back. It never runs without people.
type FinalPolicy struct {
	Seats     []Seat   `yaml:"seats" json:"seats"`
	Exclude   []string `yaml:"exclude" json:"exclude"` // starter, key_owner
	Expires   Duration `yaml:"expires" json:"expires"`
	UseWithin Duration `yaml:"use_within" json:"use_within"`
}

// UndoPolicy is for taking something back.
type UndoPolicy struct {
	Seats   []Seat   `yaml:"seats" json:"seats"`
	Exclude []string `yaml:"exclude" json:"exclude"`
}

// SilencePolicy says what silences may hide.
type SilencePolicy struct {
	CriticalKeys bool `yaml:"critical_keys" json:"critical_keys"` // alerts that may be about a critical key, too
}

// AutoLimit turns a flood of automatic runs into sign-offs.
type AutoLimit struct {
	Runs int      `yaml:"runs" json:"runs"`
	Per  Duration `yaml:"per" json:"per"`
}

// Parties are the person ids behind the parts of one incident; empty where nobody has the part or it is not known.
type Parties struct {
	Starter, KeyOwner string
	Owners            []string // of further keys that the calls are about; excluded where the owner is
}

func (w Parties) of(part string) (person string, known bool) {
	switch part {
	case PartStarter:
		return w.Starter, true
	case PartKeyOwner:
		return w.KeyOwner, true
	}
	return "", false
}

// DefaultPolicy is the policy of a configuration that the documentation shows. It asks for a group "secops".
func DefaultPolicy() Policy {
	hour, minute := Duration(3600e9), Duration(60e9)
	return Policy{
		Undoable: UndoablePolicy{
			AutoIf:         `source.trust == "act" && !key.critical && reach == "key"`,
			DefaultSignoff: []Seat{{Group: "secops", Count: 1}},
		},
		Final: FinalPolicy{
			Seats:   []Seat{{Group: "secops", Count: 2}},
			Exclude: []string{PartStarter, PartKeyOwner},
			Expires: 4 * hour, UseWithin: 10 * minute,
		},
		Undo:       UndoPolicy{Seats: []Seat{{Group: "secops", Count: 2}}, Exclude: []string{PartKeyOwner}},
		AutoLimit:  AutoLimit{Runs: 5, Per: 10 * minute},
		Responders: "secops",
	}
}

// Digest binds an envelope to the policy that it was made under.
func (p Policy) Digest() (string, error) { return HashJSON(domainPolicy, p) }
