// Package metrics counts what an operator watches from outside. Every name begins with tourniquet_ and says its unit; no
// label holds anything that an alert or a person could choose. A nil *Metrics counts nothing, so that tests and commands
// need none.
//
// It imports Prometheus' client and nothing of the house. To add a figure: a field, a line in New, a method that says
// what happened in our words.
package metrics
