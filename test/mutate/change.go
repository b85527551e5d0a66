package main

import (
	"fmt"
	"strings"
)

// mutation is one slip of an author.
type mutation struct {
	playbook, name string
	change         func(src string) (string, error)
	lives          string // why nothing need catch it; empty for those that must be caught
}

// block finds the lines of a step: from its id to the next line that is indented no deeper.
func block(src, id string) (from, to int, err error) {
	lines := strings.SplitAfter(src, "\n")
	at, indent, found := 0, 0, false
	for _, line := range lines {
		trimmed := strings.TrimLeft(line, " ")
		depth := len(line) - len(trimmed)
		switch {
		case !found && (strings.HasPrefix(trimmed, "- id: "+id+"\n")):
			from, indent, found = at, depth, true
		case found && strings.TrimSpace(line) != "" && depth <= indent:
			return from, at, nil
		}
		at += len(line)
	}
	if !found {
		return 0, 0, fmt.Errorf("there is no step %q", id)
	}
	return from, len(src), nil
}

// swap replaces the first occurrence of a text inside a step; without a step, in the whole file.
func swap(id, was, is string) func(string) (string, error) {
	return func(src string) (string, error) {
		from, to := 0, len(src)
		if id != "" {
			var err error
			if from, to, err = block(src, id); err != nil {
				return "", err
			}
		}
		if !strings.Contains(src[from:to], was) {
			return "", fmt.Errorf("%q does not stand in step %q", was, id)
		}
		return src[:from] + strings.Replace(src[from:to], was, is, 1) + src[to:], nil
	}
}

// drop takes a step out.
func drop(id string) func(string) (string, error) {
	return func(src string) (string, error) {
		from, to, err := block(src, id)
		return src[:from] + src[to:], err
	}
}

// unsign takes the sign-off of a step out, with all that belongs to it.
func unsign(id string) func(string) (string, error) {
	return func(src string) (string, error) {
		from, to, err := block(src, id)
		if err != nil {
			return "", err
		}
		var kept strings.Builder
		inside, indent := false, 0
		for _, line := range strings.SplitAfter(src[from:to], "\n") {
			trimmed := strings.TrimLeft(line, " ")
			depth := len(line) - len(trimmed)
			if inside && depth > indent {
				continue
			}
			inside = strings.HasPrefix(trimmed, "signoff:")
			if indent = depth; !inside {
				kept.WriteString(line)
			}
		}
		return src[:from] + kept.String() + src[to:], nil
	}
}

// move puts a step behind another one of the same list.
func move(id, behind string) func(string) (string, error) {
	return func(src string) (string, error) {
		from, to, err := block(src, id)
		if err != nil {
			return "", err
		}
		step := src[from:to]
		if !strings.HasSuffix(step, "\n\n") {
			step += "\n"
		}
		rest := src[:from] + src[to:]
		_, at, err := block(rest, behind)
		if err != nil {
			return "", err
		}
		return rest[:at] + step + rest[at:], nil
	}
}
