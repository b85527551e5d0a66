package playbooks

// Clause is one kind of map in a playbook: the keys that it takes. The reader allows these and no others, and schema,
// formatter and documentation are made from them.
type Clause struct {
	Name string // for code: "signoff", "step.action"
	Say  string // for people: "a step with uses"
	Doc  string
	Keys []Key
}

// What stands behind a key.
const (
	IsText      = "text"      // fixed
	IsTexts     = "texts"     // a list of fixed texts
	IsID        = "id"        // snake_case, fixed
	IsName      = "name"      // kebab-case, fixed
	IsBool      = "bool"      // fixed
	IsInt       = "int"       // fixed, from Min to Max
	IsDuration  = "duration"  // fixed, as 10m or 3d
	IsLimit     = "limit"     // a duration, or an amount as 500 USD
	IsCondition = "condition" // an expression without ${{ }}
	IsValue     = "value"     // anything; ${{ }} is possible
	IsList      = "list"      // one whole ${{ }}, or a list
	IsValues    = "values"    // a map of values
	IsClause    = "clause"    // Of
	IsClauses   = "clauses"   // a list of Of
	IsNamed     = "named"     // a map from names to Of
	IsSteps     = "steps"     // a list of steps
)

// Key is one key of a clause.
type Key struct {
	Name     string
	Is       string
	Of       string // the clause, for IsClause, IsClauses and IsNamed
	Doc      string
	Enum     []string
	Default  string
	Min, Max int
	Required bool
}

// Clauses are all of them, in the order in which they are read about. Keys stand in the order in which the formatter
// writes them.
func Clauses() []Clause {
	out := []Clause{playbookClause(), triggerClause(), inputClause()}
	for _, kind := range kinds() {
		out = append(out, stepClause(kind))
	}
	return append(out, retryClause(), signoffClause(), seatClause(), escalationClause(), askClause(), fieldClause())
}

// Names are the keys that a clause takes.
func (c Clause) Names() []string {
	out := make([]string, 0, len(c.Keys))
	for _, k := range c.Keys {
		out = append(out, k.Name)
	}
	return out
}

// Key is one key by name.
func (c Clause) Key(name string) (Key, bool) {
	for _, k := range c.Keys {
		if k.Name == name {
			return k, true
		}
	}
	return Key{}, false
}

func playbookClause() Clause {
	return Clause{Name: "playbook", Say: "a playbook", Doc: "The whole file.", Keys: []Key{
		{Name: "schema", Is: IsText, Enum: []string{"tourniquet/v1"}, Required: true, Doc: "Version of the language."},
		{Name: "id", Is: IsName, Required: true, Doc: "Name of the playbook in kebab-case, as leaked-key. The file has the same name."},
		{Name: "title", Is: IsText, Required: true, Doc: "What happened, in one line, as the responder reads it."},
		{Name: "description", Is: IsText, Doc: "What the playbook is for, in a few sentences."},
		{Name: "owner", Is: IsText, Doc: "Who looks after this playbook."},
		{Name: "tags", Is: IsTexts, Doc: "Labels for people and searches, as attack.t1552.001."},
		{Name: "trigger", Is: IsClause, Of: "trigger", Doc: "Which alerts start it. Without a trigger it is run by hand or by another playbook."},
		{Name: "needs_key", Is: IsBool, Default: "true", Doc: "Whether a run begins by identifying the key under attack. An alert without a key starts only playbooks with needs_key: false."},
		{Name: "inputs", Is: IsNamed, Of: "input", Doc: "What whoever runs it must give. Excludes trigger."},
		{Name: "vars", Is: IsValues, Doc: "Values that are computed once, after the key is identified, and read as vars.<name>."},
		{Name: "steps", Is: IsSteps, Required: true, Doc: "What is done, in order."},
		{Name: "on_failure", Is: IsSteps, Doc: "What is done when the run failed or was stopped. Only actions that observe or notify."},
		{Name: "finally", Is: IsSteps, Doc: "What is done at the end, always. Only actions that observe or notify."},
	}}
}

func triggerClause() Clause {
	return Clause{Name: "trigger", Say: "trigger", Doc: "Which alerts start the playbook.", Keys: []Key{
		{Name: "if", Is: IsCondition, Required: true, Doc: "An expression over alert, as alert.kind == \"key.leaked\"."},
		{Name: "priority", Is: IsInt, Min: 0, Max: maxPriority, Default: "0", Doc: "Where several playbooks would answer to an alert, the one with the highest priority does."},
	}}
}

func inputClause() Clause {
	return Clause{Name: "input", Say: "an input", Doc: "One input of a playbook that is run by hand or by another one.", Keys: []Key{
		{Name: "type", Is: IsText, Enum: fieldTypes(), Default: TypeString, Doc: "What may be given."},
		{Name: "required", Is: IsBool, Default: "false", Doc: "Whether it must be given. Reading one that need not be there takes a ??."},
		{Name: "doc", Is: IsText, Doc: "What it is for."},
	}}
}

func fieldTypes() []string {
	return []string{TypeString, TypeInt, TypeFloat, TypeBool, TypeTime, TypeDuration, TypeKey, TypeDepend, TypeStrings, TypeAny}
}
