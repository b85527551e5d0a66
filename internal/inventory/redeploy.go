package inventory

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// redeploy reads how a dependent is restarted: by a workflow of GitHub, or by the rollout of a workload in Kubernetes,
// whichever store it reads from.
func (l *loader) redeploy(n *yaml.Node, k kind) map[string]string {
	if n == nil {
		return nil
	}
	r := l.flat(n, "redeploy", nil)
	which := workload(r)
	allowed, needed := []string{"workflow", "ref", "owner", "repo"}, []string{"workflow", "ref"}
	switch {
	case which != "" && r["workflow"] != "":
		l.fault(n, "", "redeploy is either a workflow or a %s", which)
		return r
	case which != "":
		allowed, needed = append([]string{"namespace", "cluster"}, workloads...), []string{which}
		if !k.cluster {
			needed = append(needed, "namespace")
		}
	case !k.repo:
		needed = append(needed, "owner", "repo")
	}
	for _, f := range needed {
		if r[f] == "" {
			l.fault(n, "", "redeploy needs the field %q", f)
		}
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if input := which == "" && strings.HasPrefix(key.Value, "input."); !input && !slices.Contains(allowed, key.Value) {
			l.unknown(key, "field", allowed)
		}
	}
	return r
}

func workload(r map[string]string) string {
	for _, w := range workloads {
		if r[w] != "" {
			return w
		}
	}
	return ""
}

func (l *loader) check(n *yaml.Node, d incident.Dependent) map[string]string {
	c := l.flat(n, "check", []string{"kind"})
	if len(c) == 0 || c["kind"] == "" {
		return c
	}
	needs, known := checks[c["kind"]]
	if !known {
		l.fault(n, "one of "+strings.Join(names(checks), ", "), "the check %q is not known", c["kind"])
	}
	for _, f := range needs {
		if c[f] == "" {
			l.fault(n, "", "a check of kind %q needs the field %q", c["kind"], f)
		}
	}
	if c["kind"] == "workflow" && c["workflow"] == "" && d.Redeploy["workflow"] == "" {
		l.fault(n, "", "a check of kind \"workflow\" needs the field \"workflow\", here or in redeploy")
	}
	if c["kind"] == "rollout" && workload(c) == "" && workload(d.Redeploy) == "" {
		l.fault(n, "", "a check of kind \"rollout\" needs one of %s, here or in redeploy", strings.Join(workloads, ", "))
	}
	return c
}
