// Package playbooks is the language: YAML in, a checked and compiled Program out, with every fault at
// file:line:col. It is pure: no network, no disk, no clock, no Temporal. It imports signoff (for effects and
// rules) and internal/diag. A lint rule is one file, rule_<what>.go, with a pair in testdata.
//
// At run time expressions see plain values under their JSON names: map[string]any, []any, string, float64, int, bool,
// time.Time and time.Duration. The names are alert (where a trigger is), key, incident {id title opened_at alerts},
// inputs, vars, run {id incident number playbook mode world starter started_at}, steps.<id>
// {status outputs started_at finished_at}, the names of loop items, and, in until, result alone. A step without outputs
// has outputs nil.
package playbooks
