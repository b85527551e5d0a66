package main

import (
	"fmt"
	"strings"
)

const head = `# What every drill takes

Printed by ` + "`make drills`" + `, which rehearses every scenario of ` + "`tourniquet drill list`" + ` with scripted people and has ` + "`test/judge`" + ` decide each
from the log of the world, which the product does not write. Seconds count from the alert. Scripted people answer within seconds, so
what waits for people is what a night on call adds. A deleted key goes on working in a drill for 20 seconds where the provider's
own figure is longer (` + "`drill --realistic`" + ` takes that). Dollars are billed by the world at 28 USD a minute.

| scenario | ends as | first action | contained | revoked | proven dead | at the alert | when contained | in all |
|---|---|---|---|---|---|---|---|---|
`

// page is the table of all drills.
func page(all []drilled) string {
	var b strings.Builder
	b.WriteString(head)
	for _, d := range all {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s | %s | %s |\n", d.Name, d.Outcome, d.after("alert_to_first_action"), d.after("alert_to_contained"),
			d.after("alert_to_revoked"), d.after("alert_to_proven"), d.dollars("at_alert"), d.dollars("at_contained"), d.dollars("total"))
	}
	b.WriteString("\nWhat happens in each:\n\n")
	for _, d := range all {
		fmt.Fprintf(&b, "- `%s`: %s.\n", d.Name, d.Summary)
	}
	return b.String()
}

// after is a figure in seconds; what did not happen is a dash.
func (d drilled) after(name string) string {
	v, known := d.Seconds[name]
	if !known {
		return "–"
	}
	return fmt.Sprintf("%.1f s", v)
}

func (d drilled) dollars(name string) string {
	v, known := d.USD[name]
	if !known {
		return "–"
	}
	return fmt.Sprintf("$%.2f", v)
}
