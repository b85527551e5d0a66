// Package openai is the keys.Provider for OpenAI's project keys, service accounts' keys and admin keys, through the
// organisation's admin API.
//
// OpenAI has no switch for one key. Containment therefore holds the key's whole project, by the measure that the operator chose:
// a spend limit of one cent a month (one call; how soon OpenAI begins to enforce it is not documented), a deny-list of the
// project's models, or one request a minute for each of them. All can be put back, and all are felt by every key of the
// project, also by a new one: replacements are made in another project. A probe lists models, which costs nothing and is not
// spending: it tells a dead key from a living one, not a limited project from an open one. Deleting a key is final. New keys
// come from a new service account, because there is no call that makes a person's key. Admin keys cannot be contained: that is
// declared. Scopes are never sent: an empty list of scopes would mean all of them, and so no empty list of models is sent either.
//
// Every usage report is read, because a thief may use any of them; their lists repeat the parameter's name, as OpenAI's
// description has it, where OpenAI's client writes brackets. OpenAI's client serves all other calls. It may import
// integrations/keys and what lies below, internal/incident and OpenAI's client. Add one file per operation of the port.
package openai
