package main

import (
	"fmt"
	"strings"

	"github.com/tourniquet-ir/tourniquet/activities"
	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/secretstores"
	awssecrets "github.com/tourniquet-ir/tourniquet/integrations/secretstores/aws"
	gcpsecrets "github.com/tourniquet-ir/tourniquet/integrations/secretstores/gcp"
	ghsecrets "github.com/tourniquet-ir/tourniquet/integrations/secretstores/github"
	"github.com/tourniquet-ir/tourniquet/integrations/secretstores/kubernetes"
	"github.com/tourniquet-ir/tourniquet/integrations/secretstores/vault"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

// ability is what one provider or store declares about an action.
type ability struct {
	Who   string `json:"who"`
	Can   bool   `json:"can"`
	Reach string `json:"reach,omitempty"` // key, project or account
	What  string `json:"what,omitempty"`
	Undo  string `json:"undo,omitempty"` // in words; empty where it cannot be taken back
	Why   string `json:"why,omitempty"`  // why it cannot

	ByHand string `json:"by_hand,omitempty"` // where a person does it in its place
}

// abilities asks every provider and store that is built in; none of them needs an account to say what it can do.
func abilities(a activities.Action) []ability {
	out := []ability{}
	if a.Op != "" {
		for _, v := range vendors() {
			c := v.says.Can(a.Op)
			if a.Card.Name == "sessions.restore" { // it does what the operation declares as its undo
				c.What, c.Undo = c.Undo, ""
			}
			if a.Card.Name == "key.discard" { // it deletes what the creation made, where anything is made
				if made := v.says.Can(keys.OpCreate); made.Borrowed {
					c = keys.Capability{Reach: made.Reach, Why: made.Undo}
				}
			}
			out = append(out, ability{Who: v.name, Can: c.Available, Reach: c.Reach, What: c.What, Undo: c.Undo, Why: c.Why, ByHand: c.ByHand})
		}
	}
	if a.Card.Name == "dependent.update" {
		for _, s := range builtInStores() {
			for _, kind := range s.Kinds() {
				out = append(out, ability{Who: kind, Can: true, Undo: s.Undo()})
			}
		}
	}
	return out
}

// offers is the same for the linter: what each provider declares about the actions that a key cannot do without.
func offers() map[string]map[string]playbooks.Offer {
	out := map[string]map[string]playbooks.Offer{}
	for _, v := range vendors() {
		out[v.name] = map[string]playbooks.Offer{}
		for _, a := range activities.All() {
			if a.Op == keys.OpContain || a.Op == keys.OpRevoke || a.Op == keys.OpCreate {
				c := v.says.Can(a.Op)
				out[v.name][a.Card.Name] = playbooks.Offer{Can: c.Available, ByHand: c.ByHand, Why: c.Why}
			}
		}
	}
	return out
}

func builtInStores() []secretstores.Store {
	return []secretstores.Store{&ghsecrets.Store{}, &kubernetes.Store{}, &vault.Store{}, &awssecrets.Store{}, &gcpsecrets.Store{}}
}

// worksWith is abilities in one line: who can, and who can take it back (marked with a star).
func worksWith(list []ability) string {
	var names []string
	for _, a := range list {
		switch {
		case a.Can && a.Undo != "":
			names = append(names, a.Who+"*")
		case a.Can:
			names = append(names, a.Who)
		case a.ByHand != "":
			names = append(names, a.Who+" (by hand)")
		}
	}
	return strings.Join(names, " ")
}

// actionPage is docs/actions.md: every card, and what each provider and store declares about it.
func actionPage() string {
	var b strings.Builder
	b.WriteString(actionPageHead)
	b.WriteString("| action | effect | undone by | works with |\n|---|---|---|---|\n")
	for _, a := range activities.All() {
		c := a.Card
		fmt.Fprintf(&b, "| [%s](#%s) | %s | %s | %s |\n", c.Name, strings.ReplaceAll(c.Name, ".", ""), c.Effect, cell(c.Undo), cell(strings.ReplaceAll(worksWith(abilities(a)), "*", "\\*")))
	}
	for _, a := range activities.All() {
		actionSection(&b, a)
	}
	return b.String()
}

const actionPageHead = `# Actions

Everything that a playbook can do. Effects are declared by the action and never by the author: ` + "`observe` and `notify`" + ` change
no key, ` + "`undoable`" + ` can be taken back and may run without people where policy lets it, ` + "`final`" + ` never runs without a sign-off. A star
marks who can take it back. An action that is final may be undoable for one target: people are shown that before they sign.

This page is printed from the cards: ` + "`tourniquet action page`" + `.

`

func actionSection(b *strings.Builder, a activities.Action) {
	c := a.Card
	fmt.Fprintf(b, "\n## %s\n\n%s.\n\nEffect `%s`", c.Name, c.Summary, c.Effect)
	if c.Undo != "" {
		fmt.Fprintf(b, ", undone by `%s`", c.Undo)
	}
	fmt.Fprintf(b, "; %s for one attempt, %d attempts", c.Timeout, c.Attempts)
	if c.Repeat {
		b.WriteString("; a repeat has the same effect")
	}
	b.WriteString(".\n")
	for _, part := range []struct {
		title, must string
		fields      []cardField
	}{{"input", "must be given", cardFields(c.Inputs)}, {"output", "always there", cardFields(c.Outputs)}} {
		if len(part.fields) == 0 {
			continue
		}
		fmt.Fprintf(b, "\n| %s | type | %s | |\n|---|---|---|---|\n", part.title, part.must)
		for _, f := range part.fields {
			must := ""
			if f.Required {
				must = "yes"
			}
			fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", f.Name, f.Type, must, cell(f.Doc))
		}
	}
	list := abilities(a)
	if len(list) == 0 {
		return
	}
	b.WriteString("\n| with | does | felt by | taken back |\n|---|---|---|---|\n")
	for _, x := range list {
		does, undo := x.What, x.Undo
		if does == "" {
			does = "writes the value"
		}
		if !x.Can {
			does, undo = "cannot: "+x.Why, ""
			if x.ByHand != "" {
				does = "a person makes it in " + x.ByHand + " and seals it"
			}
		} else if undo == "" {
			undo = "no"
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", x.Who, cell(does), x.Reach, cell(undo))
	}
}

// cell keeps a text inside its column.
func cell(s string) string {
	return strings.Join(strings.Fields(strings.ReplaceAll(s, "|", "\\|")), " ")
}
