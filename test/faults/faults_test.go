package faults

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/tourniquet-ir/tourniquet/integrations/faulttest"
)

var update = flag.Bool("update", false, "write docs/faults.md anew")

const page = "../../docs/faults.md"

func all(t *testing.T) []faulttest.Client {
	return slices.Concat(providers(), stores(t), people(t))
}

func TestEveryClientAgainstEveryFault(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	results := map[string][]faulttest.Result{}
	keep := func(name string, list []faulttest.Result) {
		mu.Lock()
		defer mu.Unlock()
		results[name] = list
	}
	t.Run("over HTTP", func(t *testing.T) {
		for _, c := range all(t) {
			t.Run(c.Name, func(t *testing.T) {
				t.Parallel()
				keep(c.Name, faulttest.Run(t, c))
			})
		}
	})
	t.Run("mail", func(t *testing.T) { keep("mail", mailFaults(t)) })
	text := table(results)
	if *update && !t.Failed() {
		if err := os.WriteFile(page, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	was, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if string(was) != text {
		t.Errorf("%s is not what came of it: run make faults", page)
	}
}

const head = `# What every client makes of every fault

Made by ` + "`make faults`" + `, which calls every client of Tourniquet against services that fail, and checks that each call ends in bounded time and memory, with an
error of the right class, in which there is no secret and no address.

| sign | means |
|---|---|
| r | retry: asking again can help, so it is asked again |
| a | ask: it cannot, so the step parks and a person is asked |
| d | done: the fault is an answer, as 404 for a key that is to be gone |
| x | refuse: the client itself goes no further; it follows no redirect and reads no endless answer |
| · | the call has no such fault |
`

var signs = map[string]string{faulttest.Retry: "r", faulttest.Ask: "a", faulttest.Done: "d", faulttest.Refuse: "x"}

// table is one section for each client: its calls down, the faults across.
func table(results map[string][]faulttest.Result) string {
	var b strings.Builder
	b.WriteString(head)
	cells := 0
	for _, list := range results {
		cells += len(list)
	}
	fmt.Fprintf(&b, "\n%d clients, %d calls against faults.\n", len(results), cells)
	for _, name := range sorted(results) {
		section(&b, name, results[name])
	}
	return b.String()
}

func section(b *strings.Builder, name string, list []faulttest.Result) {
	signOf, calls, faults := map[[2]string]string{}, map[string]bool{}, map[string]bool{}
	for _, r := range list {
		sign := signs[r.Class]
		if sign == "" {
			sign = r.Class
		}
		signOf[[2]string{r.Call, r.Fault}], calls[r.Call], faults[r.Fault] = sign, true, true
	}
	columns := sorted(faults)
	fmt.Fprintf(b, "\n## %s\n\n| call | %s |\n|---%s|\n", name, strings.Join(columns, " | "), strings.Repeat("|---", len(columns)))
	for _, call := range sorted(calls) {
		fmt.Fprintf(b, "| %s |", call)
		for _, f := range columns {
			sign := signOf[[2]string{call, f}]
			if sign == "" {
				sign = "·"
			}
			fmt.Fprintf(b, " %s |", sign)
		}
		b.WriteString("\n")
	}
}

func sorted[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
