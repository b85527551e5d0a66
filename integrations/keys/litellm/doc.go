// Package litellm is the keys.Provider for the virtual keys of a LiteLLM proxy, through its key management.
//
// Containment blocks one key: one call, felt by this key alone, and taken back by unblocking it. Revocation deletes it; the
// proxy's answer repeats what was asked for even where nothing was deleted, so the key is looked up afterwards. Keys are known by
// the SHA-256 of their value, so a leaked value names its key exactly. A new key is generated with the limits of the old one: the
// proxy's regeneration is a paid feature, and may leave the old key valid for a while. The spend log is the proxy's own: with
// address, model, tokens and dollars of every call. What the proxy does not see, such as the use of the keys behind it, is not
// counted.
//
// It may import integrations/keys and what lies below, and internal/incident. Add one file per operation of the port.
package litellm
