package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
)

// row is one call of one action, however often it was made.
type row struct {
	client, action, call, by string
	times, answers           int
}

// effort is what one action of one client sends.
type effort struct {
	client, action string
	reads, calls   int // to see what it would change, and to do it
}

// table is what came of all exchanges.
type table struct {
	rows              []row
	efforts           []effort
	undescribed       []string
	faults            []string
	requests, answers int // held against a description
}

// judge holds every exchange against the first description that knows it.
func judge(list []exchange, known []description) table {
	var t table
	rows, efforts := map[row]*row{}, map[[2]string]*effort{}
	for _, x := range list {
		v := verdict{call: plainly(x)}
		for _, d := range known {
			if got, ok := d.check(x); ok {
				v = got
				break
			}
		}
		count(efforts, x)
		r := row{client: x.client, action: x.action, call: v.call, by: v.by}
		if rows[r] == nil {
			rows[r] = &row{client: x.client, action: x.action, call: v.call, by: v.by}
		}
		rows[r].times++
		if v.answer {
			rows[r].answers++
			t.answers++
		}
		if v.by == "" {
			t.undescribed = append(t.undescribed, x.client+": "+v.call)
			continue
		}
		t.requests++
		for _, f := range v.faults {
			t.faults = append(t.faults, fmt.Sprintf("%s, %s: %s (%s): %s", x.client, x.action, v.call, v.by, f))
		}
	}
	for _, r := range rows {
		t.rows = append(t.rows, *r)
	}
	for _, e := range efforts {
		t.efforts = append(t.efforts, *e)
	}
	t.sort()
	return t
}

func (t *table) sort() {
	slices.SortFunc(t.rows, func(a, b row) int {
		return cmp.Or(cmp.Compare(a.client, b.client), cmp.Compare(a.action, b.action), cmp.Compare(a.call, b.call))
	})
	slices.SortFunc(t.efforts, func(a, b effort) int { return cmp.Or(cmp.Compare(a.client, b.client), cmp.Compare(a.action, b.action)) })
	for _, list := range []*[]string{&t.undescribed, &t.faults} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
}

func count(efforts map[[2]string]*effort, x exchange) {
	if x.service == webhookService {
		return // that one was sent to us
	}
	key := [2]string{x.client, x.action}
	if efforts[key] == nil {
		efforts[key] = &effort{client: x.client, action: x.action}
	}
	if x.looks {
		efforts[key].reads++
	} else {
		efforts[key].calls++
	}
}

// print writes the tables for people.
func (t *table) print(out io.Writer) {
	lines := [][]string{{"CLIENT", "ACTION", "CALL", "DESCRIBED BY", "REQUESTS", "ANSWERS VALIDATED"}}
	for _, r := range t.rows {
		lines = append(lines, []string{r.client, r.action, r.call, cmp.Or(r.by, "nobody"), fmt.Sprint(r.times), fmt.Sprint(r.answers)})
	}
	columns(out, lines)
	lines = [][]string{{"CLIENT", "ACTION", "READS BEFORE", "CALLS"}}
	for _, e := range t.efforts {
		lines = append(lines, []string{e.client, e.action, fmt.Sprint(e.reads), fmt.Sprint(e.calls)})
	}
	_, _ = fmt.Fprintln(out, "\nCalls per action")
	columns(out, lines)
	_, _ = fmt.Fprintln(out, "\nCalls that no description knows")
	for _, u := range t.undescribed {
		_, _ = fmt.Fprintln(out, "  "+u)
	}
}

func columns(out io.Writer, lines [][]string) {
	width := make([]int, len(lines[0]))
	for _, l := range lines {
		for i, cell := range l {
			width[i] = max(width[i], len([]rune(cell)))
		}
	}
	for _, l := range lines {
		var b strings.Builder
		for i, cell := range l {
			b.WriteString(cell + strings.Repeat(" ", width[i]-len([]rune(cell))+2))
		}
		_, _ = fmt.Fprintln(out, strings.TrimRight(b.String(), " "))
	}
}
