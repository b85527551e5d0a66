package incident

// Key is the credential under attack (or its replacement). It never carries the secret itself:
// Secret names a row of the sealed table, which only an action that needs the value opens.
type Key struct {
	Provider   string      `json:"provider"`          // gemini, openai, …
	Account    string      `json:"account"`           // the configured account (name in tourniquet.yaml)
	Project    string      `json:"project,omitempty"` // the provider's project, where it has one
	ID         string      `json:"id"`                // the provider's id of the key
	UID        string      `json:"uid,omitempty"`     // a second id that usage is counted under (Google)
	Name       string      `json:"name,omitempty"`    // display name at the provider: attacker-controlled text
	Hint       string      `json:"hint"`              // first and last characters, as "AIza…9xQ2"
	Owner      string      `json:"owner,omitempty"`   // person id from the inventory
	OwnerKind  string      `json:"owner_kind,omitempty"`
	Critical   bool        `json:"critical"`   // from the inventory
	Dependents []Dependent `json:"dependents"` // from the inventory, never nil once identified
	Secret     *SecretRef  `json:"secret,omitempty"`
}

// SecretRef names a sealed secret without revealing it.
type SecretRef struct {
	Handle  string `json:"handle"`
	Version int    `json:"version"`
}

// Target is the name under which a key is shown, joined and looked up: provider:account:id.
func (k Key) Target() string { return k.Provider + ":" + k.Account + ":" + k.ID }

// Clue is what an alert knows of a key before it is identified. Any field may be empty.
type Clue struct {
	Provider   string     `json:"provider,omitempty"`
	Account    string     `json:"account,omitempty"`
	ID         string     `json:"id,omitempty"`
	Hint       string     `json:"hint,omitempty"`
	Secret     *SecretRef `json:"secret,omitempty"`      // sealed at the door when the finding carried it
	SecretHash string     `json:"secret_hash,omitempty"` // keyed hash (HMAC), for joining alerts about one key
	Where      string     `json:"where,omitempty"`       // where the value can be read when the door could not read it
}

// Empty reports whether the alert names no key at all.
func (c Clue) Empty() bool {
	return c.ID == "" && c.Hint == "" && c.Secret == nil && c.SecretHash == "" && c.Where == ""
}

// Dependent is one place that stops working when the key stops working.
type Dependent struct {
	ID       string            `json:"id"`      // unique in the inventory, for example "acme/shop:GEMINI_API_KEY"
	Kind     string            `json:"kind"`    // github_actions_secret, …
	Address  map[string]string `json:"address"` // owner, repo, name: what the store needs to find it
	Redeploy map[string]string `json:"redeploy,omitempty"`
	Check    map[string]string `json:"check,omitempty"` // kind: workflow|http|usage, plus its address
}
