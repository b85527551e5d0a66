// Package workflows is ORDER: what happens next. Respond walks a compiled program, deterministically and small; it
// calls actions by name, asks people through updates that carry signed decisions, and never does anything itself.
// It imports playbooks, signoff, incident and wire, never activities, and knows no clock but the workflow's.
// A new step kind is one file.
package workflows
