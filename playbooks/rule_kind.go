package playbooks

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// ruleKind: a step is exactly one thing, and one key says which.
func (s *sheet) ruleKind(item *yaml.Node) string {
	byKey, keys := map[string]string{}, []string{}
	for _, kind := range kinds() {
		byKey[kindKey(kind)], keys = kind, append(keys, kindKey(kind))
	}
	var found []string
	for i := 0; i+1 < len(item.Content); i += 2 {
		if k := item.Content[i].Value; byKey[k] != "" && !slices.Contains(found, k) {
			found = append(found, k)
		}
	}
	switch {
	case len(found) == 2 && slices.Contains(found, "for_each") && slices.Contains(found, "steps"):
		return KindLoop
	case len(found) == 1:
		return byKey[found[0]]
	case len(found) > 1:
		s.err("kind", place(item), "make two steps of it", "a step is one thing, and this one has %q and %q", found[0], found[1])
		return ""
	}
	for i := 0; i+1 < len(item.Content); i += 2 {
		s.ruleUnknownKey(item.Content[i], "a step", s.stepKeys())
	}
	s.err("kind", place(item), "one of: "+strings.Join(keys, ", "), "the step does not say what it does")
	return ""
}

// stepKeys are the keys of all kinds of steps.
func (s *sheet) stepKeys() []string {
	var out []string
	for _, kind := range kinds() {
		for _, name := range s.clause(StepClause(kind)).Names() {
			if !slices.Contains(out, name) {
				out = append(out, name)
			}
		}
	}
	return out
}
