// Package history reads what the workflow engine holds of a run, event by event, opened with the key ring, and says which step
// of the playbook each event belongs to. Nobody needs the engine's own pages. It imports seal.
package history
