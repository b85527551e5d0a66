// Package inventory reads inventory.yaml: known keys, their owners and dependents. It is strict: an unknown field, a
// repeated key or a dependent without its address is a fault at its place, and all faults are told at once. It may
// import incident and diag and the YAML parser. A new kind of dependent is one entry in kinds.go.
package inventory
