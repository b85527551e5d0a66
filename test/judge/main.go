package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run answers 0 when every check holds, 1 when one does not, 2 when there is nothing to judge.
func run(args []string, out, talk io.Writer) int {
	flags := flag.NewFlagSet("judge", flag.ContinueOnError)
	flags.SetOutput(talk)
	world := flags.String("world", "", "the world log that `drill --world-log` wrote")
	told := flags.String("drill", "", "what `drill -o json` printed")
	sent := flags.String("sent", "", "in place of --drill: what the clients of a storm wrote")
	chaos := flags.Bool("chaos", false, "with --sent: judge a chaos, in which runs were to end")
	s := tempest{}
	flags.IntVar(&s.alerts, "alerts", 0, "how many alerts the storm had")
	flags.IntVar(&s.keys, "keys", 0, "how many keys they were about")
	flags.DurationVar(&s.p99, "p99", 0, "within what 99 of 100 answers had to come; 0: any time")
	if flags.Parse(args) != nil {
		return 2
	}
	var good bool
	var err error
	if *sent != "" {
		var t *tempest
		if t, err = openStorm(*world, *sent, s); err == nil {
			if *chaos {
				good = report(out, t, chaosChecks())
			} else {
				good = report(out, t, stormChecks())
				_, _ = fmt.Fprintln(out, t.figures())
			}
		}
	} else {
		var c *trial
		if c, err = open(*world, *told); err == nil {
			good = report(out, c, checks())
		}
	}
	switch {
	case err != nil:
		_, _ = fmt.Fprintln(talk, "judge:", err)
		return 2
	case !good:
		return 1
	}
	return 0
}

// report prints one line per check and its problems below it.
func report[T any](out io.Writer, c T, all []check[T]) bool {
	good := true
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, check := range all {
		problems := check.find(c)
		verdict := "pass"
		if len(problems) > 0 {
			verdict, good = "FAIL", false
		}
		_, _ = fmt.Fprintf(table, "%s\t%s\n", verdict, check.name)
		for _, p := range problems {
			_, _ = fmt.Fprintf(table, "\t  %s\n", p)
		}
	}
	return table.Flush() == nil && good
}

// check is one thing that must hold.
type check[T any] struct {
	name string
	find func(T) []string // what is wrong, in sentences
}

func checks() []check[*trial] {
	return []check[*trial]{
		{"the drill ended as its scenario expects", asExpected},
		{"every planned final call happened exactly once, and no other", finalOnce},
		{"no final call before two people approved its request in Slack", signedFirst},
		{"the key was contained before any final call", containedFirst},
		{"nothing was spent after the key was proven dead", nothingAfterProof},
		{"every dependent works with a new key", dependentsMoved},
		{"what was opened for it was closed", tidied},
		{"the dollars add up", dollarsAddUp},
		{"the marks are in order and agree with the log", marksAgree},
	}
}
