package main

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"strings"
	"sync"
	"text/tabwriter"

	"github.com/tourniquet-ir/tourniquet/activities"
	"github.com/tourniquet-ir/tourniquet/internal/diag"
	"github.com/tourniquet-ir/tourniquet/internal/rehearse"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

// least is how many mutations must be caught.
const least = 18

func main() {
	caught, err := tell(os.Stdout, all())
	if err == nil && caught < least {
		err = fmt.Errorf("only %d mutations were caught; %d must be", caught, least)
	}
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(1)
	}
}

// result is what became of one mutation.
type result struct {
	mutation
	by  string // lint or tests; empty: nothing caught it
	how string
	err error
}

// all tries every mutation, some at a time.
func all() []result {
	results := make([]result, len(table()))
	var wg sync.WaitGroup
	turn := make(chan struct{}, runtime.GOMAXPROCS(0))
	for i, m := range table() {
		wg.Add(1)
		turn <- struct{}{}
		go func() {
			defer func() { <-turn; wg.Done() }()
			results[i] = try(m)
		}()
	}
	wg.Wait()
	return results
}

// tell prints the table and counts what was caught.
func tell(w io.Writer, results []result) (caught int, err error) {
	out := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	_, _ = fmt.Fprintln(out, "PLAYBOOK\tMUTATION\tCAUGHT BY\tHOW")
	for _, r := range results {
		if r.err != nil {
			return caught, r.err
		}
		by := r.by
		if by == "" {
			by, r.how = "nothing", r.lives
		} else {
			caught++
		}
		_, _ = fmt.Fprintf(out, "%s\t%s\t%s\t%s\n", r.playbook, r.name, by, short(r.how))
	}
	_, _ = fmt.Fprintf(out, "\n%d of %d mutations are caught\n", caught, len(results))
	return caught, out.Flush()
}

func short(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if runes := []rune(s); len(runes) > 110 {
		return string(runes[:109]) + "…"
	}
	return s
}

// try breaks one playbook and asks lint, then its tests.
func try(m mutation) result {
	src, err := fs.ReadFile(playbooks.Library, "library/"+m.playbook+".yaml")
	if err != nil {
		return result{mutation: m, err: err}
	}
	tests, err := fs.ReadFile(playbooks.Library, "library/"+m.playbook+"_test.yaml")
	if err != nil {
		return result{mutation: m, err: err}
	}
	broken, err := m.change(string(src))
	if err != nil {
		return result{mutation: m, err: fmt.Errorf("%s, %s: %w", m.playbook, m.name, err)}
	}
	if broken == string(src) {
		return result{mutation: m, err: fmt.Errorf("%s, %s: nothing was changed", m.playbook, m.name)}
	}
	by, how := judge(m.playbook, []byte(broken), tests)
	return result{mutation: m, by: by, how: how}
}

// judge says what catches a playbook: lint, its tests, or nothing.
func judge(name string, src, tests []byte) (by, how string) {
	w := playbooks.World{Actions: activities.Catalog(), Groups: map[string]int{"secops": 3, "secops_lead": 1}}
	program, faults := playbooks.Compile(name+".yaml", src, w)
	if len(faults) > 0 {
		return "lint", told(faults)
	}
	file, faults := rehearse.Read(name+"_test.yaml", tests)
	if file == nil {
		return "tests", told(faults)
	}
	if faults := file.Bind(program, w.Actions); len(faults) > 0 {
		return "tests", told(faults)
	}
	report := file.Run(rehearse.Options{Policy: signoff.DefaultPolicy()})
	for _, t := range report.Tests {
		if !t.OK {
			return "tests", fmt.Sprintf("%q: %s", t.Name, t.Differs[0].Message)
		}
	}
	return "", ""
}

func told(faults []diag.Fault) string {
	return fmt.Sprintf("[%s] %s", faults[0].Rule, faults[0].Message)
}
