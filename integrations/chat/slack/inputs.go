package slack

import (
	"encoding/json"
	"fmt"

	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

// inputLines says one input as people read it: a key by the name under which its provider knows it, a value that an
// earlier call will make by that call, and everything else leaf by leaf.
func inputLines(name string, v any) []string {
	m, ok := v.(map[string]any)
	if !ok {
		raw, err := json.Marshal(v)
		if err != nil {
			raw = fmt.Appendf(nil, "%v", v)
		}
		return []string{name + " = " + string(raw)}
	}
	if later, ok := m[signoff.LaterKey].(map[string]any); ok {
		return []string{fmt.Sprintf("%s = %v that %v makes", name, later["output"], later["step"])}
	}
	if provider, ok := m["provider"].(string); ok && m["id"] != nil {
		return []string{fmt.Sprintf("%s = %s:%v:%v (%v)", name, provider, m["account"], m["id"], m["hint"])}
	}
	var lines []string
	for _, field := range names(m) {
		lines = append(lines, inputLines(name+"."+field, m[field])...)
	}
	return lines
}
