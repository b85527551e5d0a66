// Package gemini is the keys.Provider for Google API keys that can call the Gemini API.
//
// Containment is one PATCH of the key's restrictions. Restrictions cannot say "nothing" (an empty list of API targets
// means all), so the strongest undoable measure is two locks at once: the only API target left is the API Keys API,
// which takes no API keys, and the only caller address left is one of TEST-NET-1 (RFC 5737), from which nobody can
// call. A key so restricted serves no API at all until the recorded restrictions are put back. Deletion is used for
// revocation alone: Google lets it be undone for 30 days, but it takes 8 to 23 minutes to bite where a restriction
// bites sooner.
//
// With the measure "service" containment switches the Gemini API off for the whole project instead.
//
// A service account's key (an id with an at sign) is disabled, which can be undone, and deleted, which cannot. A new one is a pair
// that is made here and of which Google gets the public half. Tokens that were made from a key outlive it by an hour; only
// disabling the account ends them, and that ends all else that runs as it.
//
// It may import integrations/keys, internal/incident and Google's client. Add one file per operation of the port.
package gemini
