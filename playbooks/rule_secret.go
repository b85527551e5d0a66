package playbooks

import (
	"regexp"

	"go.yaml.in/yaml/v3"
)

// ruleSecret: playbooks are stored, shown and signed in clear, so no secret may stand in one. The literal is never
// repeated in the message, and its line is not printed.
func (s *sheet) ruleSecret(n *yaml.Node) {
	if n.Kind == yaml.ScalarNode && s.budget.secret.MatchString(n.Value) {
		s.err("secret", place(n), "name a key, never its value", "this text looks like a secret, and playbooks are stored and shown in clear")
		s.faults[len(s.faults)-1].Hide = true
	}
}

// secretForms are how the secrets of providers and stores look.
func secretForms() *regexp.Regexp {
	return regexp.MustCompile(`AIza[0-9A-Za-z_-]{30,}|\bsk-[0-9A-Za-z_-]{20,}|\b(gh[pousr]|github_pat)_[0-9A-Za-z_]{20,}|` +
		`\bxox[a-z]-[0-9A-Za-z-]{10,}|\b(AKIA|ASIA)[0-9A-Z]{16}\b|-----BEGIN [A-Z ]*PRIVATE KEY|\beyJ[0-9A-Za-z_-]{20,}\.[0-9A-Za-z_-]{10,}\.`)
}
