package playbooks_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tourniquet-ir/tourniquet/playbooks"
)

func TestThePageOfKeysIsPrintedFromTheLanguage(t *testing.T) {
	t.Parallel()
	golden(t, "../docs/playbook-keys.md", keysPage())
}

func keysPage() string {
	var b strings.Builder
	b.WriteString("# Every key of a playbook\n\n" +
		"This page is printed from the language itself (`go test ./playbooks -update`). How a playbook is written is in\n" +
		"[playbooks.md](playbooks.md), what is refused in [playbook-rules.md](playbook-rules.md). In an editor with\n" +
		"yaml-language-server, `tourniquet playbook schema` gives the same while you type.\n\n" +
		"Every step has an `id`, may have a `title` and an `if`, and is exactly one kind.\n")
	for _, c := range playbooks.Clauses() {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n| key | is | |\n|---|---|---|\n", strings.TrimPrefix(strings.TrimPrefix(c.Say, "a "), "an "), c.Doc)
		for _, k := range c.Keys {
			name := "`" + k.Name + "`"
			if k.Required {
				name = "**" + name + "**"
			}
			doc := k.Doc
			if k.Default != "" {
				doc += " Default: `" + k.Default + "`."
			}
			fmt.Fprintf(&b, "| %s | %s | %s |\n", name, kindOfKey(k), cell(doc))
		}
	}
	b.WriteString("\nKeys in bold must be there. \"Value\" means that `${{ }}` is possible; everywhere else the text is fixed.\n")
	return b.String()
}

func kindOfKey(k playbooks.Key) string {
	if len(k.Enum) > 0 {
		return "`" + strings.Join(k.Enum, "`, `") + "`"
	}
	of := ""
	for _, c := range playbooks.Clauses() {
		if c.Name == k.Of {
			of = "[" + k.Of + "](#" + strings.ReplaceAll(strings.TrimPrefix(strings.TrimPrefix(c.Say, "a "), "an "), " ", "-") + ")"
		}
	}
	switch k.Is {
	case playbooks.IsText:
		return "text"
	case playbooks.IsTexts:
		return "list of texts"
	case playbooks.IsID:
		return "snake_case"
	case playbooks.IsName:
		return "kebab-case"
	case playbooks.IsBool:
		return "`true`, `false`"
	case playbooks.IsInt:
		return fmt.Sprintf("number from %d to %d", k.Min, k.Max)
	case playbooks.IsDuration:
		return "time, as `30s`, `10m`, `4h`, `3d`"
	case playbooks.IsLimit:
		return "time, or `500 USD`"
	case playbooks.IsCondition:
		return "condition, without `${{ }}`"
	case playbooks.IsValue:
		return "value"
	case playbooks.IsList:
		return "list, or one `${{ }}`"
	case playbooks.IsValues:
		return "map of values"
	case playbooks.IsClause:
		return of
	case playbooks.IsClauses:
		return "list of " + of
	case playbooks.IsNamed:
		return "map of names to " + of
	case playbooks.IsSteps:
		return "list of steps"
	}
	return k.Is
}
