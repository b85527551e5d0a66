// Package lookout keeps watch over every key of the inventory: it asks the providers what each key costs, hands that to
// the rule in internal/watch, and makes ordinary alerts of its alarms. It knows ports, our records, the inventory and the
// prices, and no vendor. One sweep looks at the keys of one account; a Temporal schedule for each account paces the sweeps.
//
// To watch something else than money, add a check to internal/watch. To pace a new provider, add a line to paces.
package lookout
