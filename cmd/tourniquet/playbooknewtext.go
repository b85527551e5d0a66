package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"text/template"

	"go.yaml.in/yaml/v3"

	"github.com/tourniquet-ir/tourniquet/internal/diag"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

// fill writes one of the two files of a new playbook.
func (w wish) fill(name string) (string, error) {
	t, err := template.New(name).Funcs(template.FuncMap{"quote": quoteYAML, "inc": func(i int) int { return i + 1 }}).ParseFS(templates, "templates/"+name)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	err = t.Execute(&b, w)
	return b.String(), err
}

// quoteYAML writes a text so that YAML reads it as that text.
func quoteYAML(s string) (string, error) {
	var back string
	if err := yaml.Unmarshal([]byte(s), &back); err == nil && back == s && !strings.ContainsAny(s, "\n#:{}[]&*!|>'\"%@`") {
		var plain any
		if yaml.Unmarshal([]byte(s), &plain) == nil && plain == any(s) {
			return s, nil
		}
	}
	raw, err := json.Marshal(s)
	return string(raw), err
}

// Trigger is the condition for the kinds of alerts.
func (w wish) Trigger() string {
	if len(w.Kinds) == 1 {
		return fmt.Sprintf("alert.kind == %q && alert.severity != \"low\"", w.Kinds[0])
	}
	return "alert.kind in [\"" + strings.Join(w.Kinds, "\", \"") + "\"] && alert.severity != \"low\""
}

// Signers are enough people to sign: where the group is another one than policy's, both must fill, and one person fills one
// seat.
func (w wish) Signers() []string {
	if w.Group != policySigners {
		return persons(w.Count + 2)
	}
	return persons(w.Count)
}

// policySigners is the group that policy asks for when nothing is configured.
const policySigners = "secops"

// People are those of the test: one more than must sign.
func (w wish) People() []string { return persons(len(w.Signers()) + 1) }

func persons(n int) []string {
	out := make([]string, 0, n)
	for i := range n {
		out = append(out, fmt.Sprintf("p%d", i+1))
	}
	return out
}

// Groups are those of everybody in the test: policy's own signers are in secops.
func (w wish) Groups() string {
	if w.Group == policySigners {
		return w.Group
	}
	return w.Group + ", " + policySigners
}

// Signed are the steps that people sign.
func (w wish) Signed() []string {
	if w.Replace {
		return []string{"replace", "revoke"}
	}
	return []string{"revoke"}
}

// good refuses to write a playbook that lint would not take: an odd id, or a group that is not configured.
func (sh *shell) good(file, text string) error {
	world, err := sh.world()
	if err != nil {
		return err
	}
	s := sheet{name: file, source: []byte(text)}
	if p, faults := playbooks.Compile(file, s.source, world(s)); p == nil {
		_, _ = fmt.Fprint(sh.Talk, diag.Text(s.source, faults))
		return misuse("a playbook of this kind would not be good; nothing was written")
	}
	return nil
}
