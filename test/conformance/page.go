package main

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

const pageHead = `# Every call that Tourniquet makes

Made by ` + "`make conformance`" + `, which drives every client against the sandbox and holds each request, and each answer that the sandbox gives,
against the services' own descriptions: their OpenAPI files, Google's discovery documents, Slack's list of methods, and the types of the official client
libraries where a service publishes nothing else. A test compares this page with what the clients really send. "Reads" look at what an action
would change; "calls" do it. Where an action stands twice, the words in brackets say for which kind of key.

## Calls for each action

| client | action | reads | calls |
|---|---|---|---|
`

const pageCalls = `
## Calls, and who describes them

| client | action | call | described by |
|---|---|---|---|
`

const pageNobody = `
## Calls that nobody describes

Their services publish no machine-readable description, and their libraries, where there are any, do not know these calls. What we know of them is written
in the clients and in the sandbox.

`

// page is the tables in Markdown, for docs.
func (t *table) page() string {
	var b strings.Builder
	b.WriteString(pageHead)
	for _, e := range t.efforts {
		fmt.Fprintf(&b, "| %s | %s | %d | %d |\n", e.client, e.action, e.reads, e.calls)
	}
	b.WriteString(pageCalls)
	for _, r := range t.rows {
		fmt.Fprintf(&b, "| %s | %s | `%s` | %s |\n", r.client, r.action, r.call, cmp.Or(r.by, "nobody"))
	}
	b.WriteString(pageNobody)
	for _, u := range t.undescribed {
		client, call, _ := strings.Cut(u, ": ")
		fmt.Fprintf(&b, "- %s: `%s`\n", client, call)
	}
	return b.String()
}

// written is a call as the page lists it.
type written struct {
	client, action, call string
	path                 *regexp.Regexp // of a call that is named by its path
	seen                 bool
}

var pageRow = regexp.MustCompile("(?m)^\\| ([^|]+) \\| ([^|]+) \\| `([^`]+)` \\| [^|]+ \\|$")

// readPage finds the calls that a page lists.
func readPage(text string) (out []*written) {
	for _, m := range pageRow.FindAllStringSubmatch(text, -1) {
		w := &written{client: m[1], action: m[2], call: m[3]}
		if method, path, ok := strings.Cut(w.call, " /"); ok {
			w.path = regexp.MustCompile("^" + method + " /" + asPattern(path) + "$")
		}
		out = append(out, w)
	}
	return out
}

// asPattern makes a pattern of a path with holes; the last may hold further slashes.
func asPattern(path string) string {
	parts := regexp.MustCompile(`\{[^}]*\}`).Split(path, -1)
	holes := regexp.MustCompile(`\{[^}]*\}`).FindAllString(path, -1)
	out := regexp.QuoteMeta(parts[0])
	for i, hole := range holes {
		fill := `[^/:]+`
		if strings.HasSuffix(hole, "...}") {
			fill = `.+`
		}
		out += fill + regexp.QuoteMeta(parts[i+1])
	}
	return out
}

// unwritten are the calls of a table that the page does not list, and those of the page that nobody makes.
func unwritten(list []exchange, t table, page string) (out []string) {
	rows := readPage(page)
	named := map[string]bool{} // calls that are known by a name and not by a path
	for _, r := range t.rows {
		named[r.client+"\n"+r.action+"\n"+r.call] = true
	}
	for _, x := range list {
		sent := x.request.Method + " " + x.request.URL.EscapedPath()
		i := slices.IndexFunc(rows, func(w *written) bool {
			return w.client == x.client && w.action == x.action && (w.path != nil && w.path.MatchString(sent))
		})
		if i >= 0 {
			rows[i].seen = true
		} else if !namedElsewhere(rows, x) {
			out = append(out, fmt.Sprintf("%s, %s: %s is not on the page", x.client, x.action, plainly(x)))
		}
	}
	for _, w := range rows {
		if !w.seen && !named[w.client+"\n"+w.action+"\n"+w.call] {
			out = append(out, fmt.Sprintf("%s, %s: %s is on the page, and nobody makes it", w.client, w.action, w.call))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// namedElsewhere: calls of AWS, Azure and webhooks go by the name that their library gives them.
func namedElsewhere(rows []*written, x exchange) bool {
	return slices.ContainsFunc(rows, func(w *written) bool { return w.client == x.client && w.action == x.action && w.path == nil })
}
