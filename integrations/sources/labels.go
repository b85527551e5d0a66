package sources

import (
	"slices"
	"strings"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// Labels by which monitoring tells us what an alert is about. Rules that somebody else wrote may use the short names.
var labelNames = map[string][]string{
	"provider": {"key_provider", "provider"},
	"account":  {"key_account", "account"},
	"id":       {"key_id"},
	"hint":     {"key_hint"},
	"kind":     {"tourniquet_kind", "alert_kind"},
	"severity": {"severity", "priority", "level"},
}

// label is the first of the names that a set of labels has, cut to what a clue may hold.
func label(labels map[string]string, what string) string {
	for _, name := range labelNames[what] {
		if v := strings.TrimSpace(labels[name]); v != "" {
			return cut(v, 500)
		}
	}
	return ""
}

func clueOf(labels map[string]string) incident.Clue {
	return incident.Clue{
		Provider: cut(strings.ToLower(label(labels, "provider")), 60), Account: cut(label(labels, "account"), 200),
		ID: label(labels, "id"), Hint: cut(label(labels, "hint"), 60),
	}
}

// kindOf is the kind that a label names, or usage.anomaly: monitoring watches use.
func kindOf(labels map[string]string) string {
	if k := label(labels, "kind"); slices.Contains(alertKinds, k) {
		return k
	}
	return incident.KindUsageAnomaly
}

// severityOf brings the many words for how bad it is to our four; high when nobody says.
func severityOf(word string) string {
	switch strings.ToLower(strings.TrimSpace(word)) {
	case "critical", "page", "emergency", "fatal", "p1", "sev1", "very high":
		return "critical"
	case "medium", "warning", "warn", "moderate", "p3", "sev3":
		return "medium"
	case "low", "info", "informational", "notice", "none", "p4", "p5", "sev4", "sev5":
		return "low"
	}
	return "high"
}

// links keeps the web addresses of a list, each once, at most ten.
func links(candidates ...string) []string {
	var out []string
	for _, l := range candidates {
		if webLink(l) && !slices.Contains(out, l) && len(out) < 10 {
			out = append(out, l)
		}
	}
	return out
}

// orElse is the first text that says something.
func orElse(texts ...string) string {
	for _, t := range texts {
		if strings.TrimSpace(t) != "" {
			return t
		}
	}
	return ""
}
