package inventory

import (
	"maps"
	"slices"
	"strings"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// Entry is one known key: by provider and id, or by the keyed hash of its value.
type Entry struct {
	Provider   string               `json:"provider"`
	Account    string               `json:"account,omitempty"` // any account when empty
	ID         string               `json:"id,omitempty"`
	Hash       string               `json:"hash,omitempty"` // 64 hex digits
	Owner      string               `json:"owner,omitempty"`
	Critical   bool                 `json:"critical"`
	Dependents []incident.Dependent `json:"dependents"`
	Watch      Watch                `json:"watch,omitzero"`
	Line       int                  `json:"line"`
}

// Inventory is a loaded file. The zero value knows no key. It is never changed after Load.
type Inventory struct{ entries []Entry }

// Entries lists the known keys in the order of the file.
func (i *Inventory) Entries() []Entry {
	out := make([]Entry, len(i.entries))
	for n, e := range i.entries {
		out[n] = e.clone()
	}
	return out
}

// Lookup finds a key by its id. An entry that names the account goes before one that does not.
func (i *Inventory) Lookup(provider, account, id string) (Entry, bool) {
	return i.find(func(e Entry) bool { return e.ID != "" && e.ID == id && e.Provider == provider }, account)
}

// LookupHash finds a key by the keyed hash of its value.
func (i *Inventory) LookupHash(provider, account, hash string) (Entry, bool) {
	return i.find(func(e Entry) bool { return e.Hash != "" && e.Hash == hash && e.Provider == provider }, account)
}

func (i *Inventory) find(fits func(Entry) bool, account string) (Entry, bool) {
	var any *Entry
	for n := range i.entries {
		e := &i.entries[n]
		if !fits(*e) {
			continue
		}
		if e.Account == account {
			return e.clone(), true
		}
		if e.Account == "" {
			any = e
		}
	}
	if any == nil {
		return Entry{}, false
	}
	return any.clone(), true
}

// Enrich adds owner, weight and dependents to an identified key. A key that is not known comes back as it is, with an
// empty list of dependents in place of none.
func (i *Inventory) Enrich(key incident.Key) incident.Key {
	e, known := i.Lookup(key.Provider, key.Account, key.ID)
	if !known && key.UID != "" {
		e, known = i.Lookup(key.Provider, key.Account, key.UID)
	}
	return enrich(key, e, known)
}

// MayBeCritical reports whether what an alert says of a key fits a critical one, as far as that can be told: a value or a hint
// that no entry can be held against counts, because nobody has said that it is another key.
func (i *Inventory) MayBeCritical(c incident.Clue) bool {
	if c.Empty() {
		return false
	}
	return slices.ContainsFunc(i.entries, func(e Entry) bool {
		switch {
		case !e.Critical, c.Provider != "" && c.Provider != e.Provider, c.Account != "" && e.Account != "" && c.Account != e.Account:
			return false
		case c.ID != "" && e.ID != "":
			return c.ID == e.ID || strings.HasSuffix(c.ID, "/"+e.ID) || strings.HasSuffix(e.ID, "/"+c.ID) // a name in full, and its end
		case c.SecretHash != "" && e.Hash != "":
			return c.SecretHash == e.Hash
		}
		return true
	})
}

// EnrichHash is Enrich for an entry that is known by keyed hash only.
func (i *Inventory) EnrichHash(key incident.Key, hash string) incident.Key {
	e, known := i.LookupHash(key.Provider, key.Account, hash)
	return enrich(key, e, known)
}

func enrich(key incident.Key, e Entry, known bool) incident.Key {
	if known {
		key.Critical = e.Critical
		key.Dependents = e.Dependents
		if e.Owner != "" {
			key.Owner = e.Owner
		}
	}
	if key.Dependents == nil {
		key.Dependents = []incident.Dependent{}
	}
	return key
}

func (e Entry) clone() Entry {
	list := make([]incident.Dependent, len(e.Dependents))
	for n, d := range e.Dependents {
		d.Address, d.Redeploy, d.Check = maps.Clone(d.Address), maps.Clone(d.Redeploy), maps.Clone(d.Check)
		list[n] = d
	}
	e.Dependents = slices.Clip(list)
	return e
}
