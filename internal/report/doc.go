// Package report reads everything that our own records know of one run and tells it: as facts that the console lays
// out, as Markdown, as one self-contained HTML page, as JSON and as the bundle of evidence. It never says more than the
// records hold: what is missing is "unknown". Everything it prints came from outside and is treated as hostile.
//
// It imports database, evidence, incident, signoff and seal. To add a part, extend Facts and both templates.
package report
