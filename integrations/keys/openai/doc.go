// Package openai is the keys.Provider for OpenAI project API keys, through the organisation's admin API.
//
// OpenAI has no switch for one key. Containment is therefore a spend limit of one cent a month on the key's whole
// project: one call, undoable, and felt by every key of the project; how soon OpenAI begins to enforce it is not
// documented. A probe lists models, which costs nothing and is not spending: it tells a dead key from a living one, not
// a limited project from an open one. Deleting a key is final. New keys come from a new service account, because there is no
// call that makes a person's key. Scopes are never sent: an empty list of scopes would mean all of them.
//
// It may import integrations/keys, internal/incident and OpenAI's client. Add one file per operation of the port.
package openai
