package inventory

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// dependent reads {kind, …address…, redeploy, check}; seen holds the ids that are taken.
func (l *loader) dependent(n *yaml.Node, seen map[string]int) (incident.Dependent, bool) {
	before := len(l.faults)
	all := l.fields(n, "a dependent", nil, []string{"kind"})
	if all == nil || all["kind"] == nil {
		return incident.Dependent{}, false
	}
	name := l.text(all["kind"])
	k, known := kinds[name]
	if !known {
		l.unknown(all["kind"], "kind", names(kinds))
		return incident.Dependent{}, false
	}
	allowed := slices.Concat([]string{"id", "kind", "redeploy", "check"}, k.address, k.optional)
	for i := 0; i+1 < len(n.Content); i += 2 {
		if key := n.Content[i]; !slices.Contains(allowed, key.Value) {
			l.unknown(key, "field", allowed)
		}
	}
	d := incident.Dependent{ID: l.text(all["id"]), Kind: name, Address: map[string]string{}}
	for _, a := range slices.Concat(k.address, k.optional) {
		if v := all[a]; v != nil {
			d.Address[a] = l.text(v)
		} else if slices.Contains(k.address, a) {
			l.fault(n, "", "a %s needs the field %q", name, a)
		}
	}
	d.Redeploy = l.redeploy(all["redeploy"], k)
	d.Check = l.check(all["check"], d)
	if d.ID == "" {
		d.ID = defaultID(k, d.Address)
	}
	if first, twice := seen[d.ID]; twice {
		l.fault(n, "give one of them another \"id\"", "the dependent %q is already listed in line %d", d.ID, first)
	}
	seen[d.ID] = n.Line
	return d, len(l.faults) == before
}

// defaultID is the address, as "acme/shop:GEMINI_API_KEY".
func defaultID(k kind, address map[string]string) string {
	parts := make([]string, len(k.address))
	for i, a := range k.address {
		parts[i] = address[a]
	}
	last := len(parts) - 1
	return fmt.Sprintf("%s:%s", strings.Join(parts[:last], "/"), parts[last])
}

func (l *loader) flat(n *yaml.Node, what string, required []string) map[string]string {
	if n == nil {
		return nil
	}
	out := map[string]string{}
	for k, v := range l.fields(n, what, nil, required) {
		out[k] = l.text(v)
	}
	return out
}
