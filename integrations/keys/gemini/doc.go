// Package gemini is the keys.Provider for Google API keys that can call the Gemini API.
//
// Containment is one PATCH of the key's restrictions. Restrictions cannot say "nothing" (an empty list of API targets
// means all), so the strongest undoable measure is two locks at once: the only API target left is the API Keys API,
// which takes no API keys, and the only caller address left is one of TEST-NET-1 (RFC 5737), from which nobody can
// call. A key so restricted serves no API at all until the recorded restrictions are put back. Deletion is used for
// revocation alone: Google lets it be undone for 30 days, but it takes 8 to 23 minutes to bite where a restriction
// bites sooner.
//
// It may import integrations/keys, internal/incident and Google's client. Add one file per operation of the port.
package gemini
