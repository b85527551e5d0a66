// Package azureopenai is the keys.Provider for the two keys of one Azure OpenAI resource (Microsoft.CognitiveServices).
//
// Azure has no switch for one of the two keys. What can be undone is key authentication of the whole resource: switched
// off, both keys stop and Entra ID goes on; switched on, both work again. Ending one key means regenerating it: the slot
// gets another value, which cannot be taken back, so it is sent once and never repeated by the client. Azure makes no
// further keys: what replaces a leaked key is the value of the other slot, and whoever uses the leaked one moves there
// before it is regenerated. A key is the slot and a fingerprint of its value, so that a slot that somebody has regenerated
// meanwhile counts as revoked and is not regenerated under its new users.
//
// Use and what administrators did come from Azure Monitor, for the whole resource: no record says which key was used.
//
// It may import integrations/keys, internal/incident and Azure's client. Add one file per operation of the port.
package azureopenai
