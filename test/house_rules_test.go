package test

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
)

// faults lists every breach of "Who may import whom", in order.
func faults(house []source) (found []string) {
	reach := closures(house)
	for _, s := range house {
		for _, rule := range []func(source, map[string]map[string]string) []string{pure, workflowsApart, portsOnly, leavesAlone, engineAlone, fxAtTheEdge, noSurprises, oneScreen} {
			for _, why := range rule(s, reach) {
				found = append(found, s.path+" "+why)
			}
		}
	}
	found = append(found, undescribed(house)...)
	slices.Sort(found)
	return slices.Compact(found)
}

// closures maps every room to what it imports, directly or through other rooms, and through which room that came.
func closures(house []source) map[string]map[string]string {
	direct := map[string][]string{}
	for _, s := range house {
		if !s.isTest() {
			direct[s.room()] = append(direct[s.room()], s.imports...)
		}
	}
	reach := map[string]map[string]string{}
	for room := range direct {
		all, todo := map[string]string{}, []string{room}
		for len(todo) > 0 {
			from := todo[0]
			todo = todo[1:]
			for _, to := range direct[from] {
				if _, seen := all[to]; !seen {
					all[to] = from
					todo = append(todo, to)
				}
			}
		}
		reach[room] = all
	}
	return reach
}

// reaches words what room must not reach but does; the file that imports it carries the blame.
func reaches(s source, reach map[string]map[string]string, bad func(string) bool, why string) (found []string) {
	if s.isTest() {
		return nil
	}
	for _, to := range s.imports {
		if bad(to) {
			found = append(found, fmt.Sprintf("imports %s: %s", to, why))
		}
		for _, far := range slices.Sorted(maps.Keys(reach[to])) {
			if bad(far) {
				found = append(found, fmt.Sprintf("imports %s and through it (%s) %s: %s", to, reach[to][far], far, why))
			}
		}
	}
	return found
}

// pure keeps the language and the sign-off free of network, disk and clock.
func pure(s source, reach map[string]map[string]string) (found []string) {
	if s.room() != "playbooks" && s.room() != "internal/signoff" && s.room() != "internal/incident" {
		return nil
	}
	outside := func(to string) bool {
		switch to {
		case "net/url", "net/netip", "net/mail":
			return false // they parse, they do not call
		case "net", "os", "syscall", "database/sql", "log", "log/slog", "crypto/rand", "math/rand", "math/rand/v2":
			return true
		}
		return within(to, "net") || within(to, "os") || strings.HasPrefix(to, "go.temporal.io/")
	}
	found = reaches(s, reach, outside, "playbooks, signoff and incident touch nothing outside themselves")
	if !s.isTest() && len(s.clocks) > 0 {
		found = append(found, fmt.Sprintf("uses %s: the time is given to these rooms, they never look at a clock", s.clocks[0]))
	}
	return found
}

// workflowsApart keeps order apart from deeds, and a replay the same as the run.
func workflowsApart(s source, reach map[string]map[string]string) (found []string) {
	if s.room() != "workflows" || s.isTest() {
		return nil
	}
	deeds := func(to string) bool {
		return within(to, "activities") || within(to, "integrations") || within(to, "internal/database") || within(to, "internal/gateway")
	}
	found = reaches(s, reach, deeds, "workflows call actions by name")
	for _, to := range s.imports {
		switch to {
		case "os", "net", "net/http", "math/rand", "math/rand/v2", "crypto/rand", "sync":
			found = append(found, fmt.Sprintf("imports %s: a replay would see something else", to))
		}
	}
	if len(s.clocks) > 0 {
		found = append(found, fmt.Sprintf("uses %s: ask workflow.Now and workflow.NewTimer", s.clocks[0]))
	}
	if s.starts {
		found = append(found, "has a go statement: use workflow.Go")
	}
	return found
}

// portsOnly lets nobody but cmd name vendors; vendors may share what belongs to the same vendor.
func portsOnly(s source, _ map[string]map[string]string) (found []string) {
	if s.isTest() || within(s.path, "cmd") || within(s.path, "test") {
		return nil
	}
	for _, to := range s.imports {
		if vendorOf(to) != "" && vendorOf(to) != vendorOf(s.room()) {
			found = append(found, fmt.Sprintf("imports %s: vendors are named in cmd/tourniquet only, everything else knows ports", to))
		}
	}
	return found
}

// shared are rooms below a port that are nobody's: tools of all vendors behind it.
var shared = []string{"integrations/keys/tape", "integrations/keys/rest", "integrations/keys/hashed"}

// vendorOf is "github" for integrations/tickets/github and what lies below it, "" for ports.
func vendorOf(room string) string {
	part := strings.Split(room, "/")
	if len(part) < 3 || part[0] != "integrations" || slices.Contains(shared, room) {
		return ""
	}
	return part[2]
}

// leavesAlone keeps cmd, console and sandbox at the edge.
func leavesAlone(s source, _ map[string]map[string]string) (found []string) {
	if s.isTest() || within(s.path, "cmd") || within(s.path, "test") {
		return nil
	}
	for _, to := range s.imports {
		for _, edge := range []string{"cmd", "test", "internal/console", "internal/sandbox"} {
			if within(to, edge) && !within(s.path, edge) {
				found = append(found, fmt.Sprintf("imports %s: only cmd and tests do", to))
			}
		}
		if to != "internal/incident" && within(s.path, "internal/sandbox") && ours(to) && !within(to, "internal/sandbox") {
			found = append(found, fmt.Sprintf("imports %s: the sandbox is the outside and must not know us", to))
		}
	}
	return found
}

// engineAlone keeps minutes of compiling out of every other room's tests.
func engineAlone(s source, _ map[string]map[string]string) (found []string) {
	for _, to := range s.imports {
		if within(to, "go.temporal.io/server") && !within(s.path, "internal/engine") {
			found = append(found, fmt.Sprintf("imports %s: only internal/engine knows the server", to))
		}
	}
	return found
}

func fxAtTheEdge(s source, _ map[string]map[string]string) (found []string) {
	for _, to := range s.imports {
		if within(to, "go.uber.org/fx") && !s.isTest() && !within(s.path, "cmd") {
			found = append(found, "imports fx: only a command wires; rooms have plain constructors")
		}
	}
	return found
}

// noSurprises refuses what happens without being asked for, and tests that sleep.
func noSurprises(s source, _ map[string]map[string]string) (found []string) {
	if s.inits {
		found = append(found, "has func init: construct it where it is needed")
	}
	if s.isTest() && slices.Contains(s.clocks, "time.Sleep") {
		found = append(found, "sleeps: wait for what should happen, with a deadline")
	}
	return found
}

// The end of what one screen takes; half as much is the habit.
const mostLines, mostOfOne = 400, 60

// oneScreen measures files, and the functions of those that are not tests: tables of cases may be long.
func oneScreen(s source, _ map[string]map[string]string) (found []string) {
	if s.lines > mostLines {
		found = append(found, fmt.Sprintf("has %d lines, %d are the end: one screen per idea", s.lines, mostLines))
	}
	if !s.isTest() && s.length > mostOfOne {
		found = append(found, fmt.Sprintf("has %d lines in %s, %d are the end", s.length, s.longest, mostOfOne))
	}
	return found
}

// undescribed lists rooms without doc.go.
func undescribed(house []source) (found []string) {
	rooms := map[string]bool{}
	for _, s := range house {
		rooms[s.room()] = rooms[s.room()] || path.Base(s.path) == "doc.go"
	}
	for room, described := range rooms {
		if !described {
			found = append(found, room+" has no doc.go: what it is, what it may import, how to add one")
		}
	}
	return found
}

func within(name, room string) bool { return name == room || strings.HasPrefix(name, room+"/") }

// ours reports whether an import is of this module.
func ours(to string) bool {
	for _, room := range []string{"cmd", "workflows", "activities", "playbooks", "integrations", "internal", "test"} {
		if within(to, room) {
			return true
		}
	}
	return false
}
