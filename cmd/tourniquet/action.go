package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tourniquet-ir/tourniquet/activities"
	"github.com/tourniquet-ir/tourniquet/internal/diag"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

func (sh *shell) actionCmd() *cobra.Command {
	list := &cobra.Command{Use: "list", Short: "Every action, with what it does to the world", Args: cobra.NoArgs, RunE: func(*cobra.Command, []string) error {
		all := activities.All()
		cards, rows := make([]card, 0, len(all)), make([][]string, 0, len(all))
		for _, a := range all {
			cards = append(cards, cardOf(a))
			rows = append(rows, []string{a.Card.Name, a.Card.Effect, a.Card.Undo, worksWith(abilities(a)), a.Card.Summary})
		}
		if sh.JSON {
			return sh.printJSON(cards)
		}
		return sh.table([]string{"ACTION", "EFFECT", "UNDONE BY", "WORKS WITH (* CAN TAKE IT BACK)", "WHAT IT DOES"}, rows)
	}}
	show := &cobra.Command{Use: "show ACTION", Short: "Inputs, outputs and an example of one action", Args: one("the name of an action"),
		RunE: func(_ *cobra.Command, args []string) error {
			var names []string
			for _, a := range activities.All() {
				if a.Card.Name == args[0] {
					return sh.showAction(a)
				}
				names = append(names, a.Card.Name)
			}
			if near := diag.Guess(args[0], names); near != "" {
				return misuse("there is no action %q; did you mean %q?", args[0], near)
			}
			return misuse("there is no action %q; see: tourniquet action list", args[0])
		}}
	page := &cobra.Command{Use: "page", Short: "Print docs/actions.md from the cards", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return sh.say("%s", strings.TrimRight(actionPage(), "\n")) }}
	return group("action", "What playbooks can do", list, show, page)
}

// card is an action's card as JSON; the names are a contract with scripts.
type card struct {
	Name     string         `json:"name"`
	Summary  string         `json:"summary"`
	Effect   string         `json:"effect"`
	Undo     string         `json:"undo,omitempty"`
	Inputs   []cardField    `json:"inputs"`
	Outputs  []cardField    `json:"outputs"`
	Timeout  string         `json:"timeout"`
	Attempts int            `json:"attempts"`
	Repeat   bool           `json:"repeatable"`
	Example  map[string]any `json:"example,omitempty"`
	With     []ability      `json:"with"` // what providers and stores declare about it
}

type cardField struct {
	Name     string `json:"name"`
	Type     string `json:"type"`
	Required bool   `json:"required"` // inputs: must be given; outputs: always there
	Doc      string `json:"doc,omitempty"`
}

func cardOf(a activities.Action) card {
	c := a.Card
	return card{
		Name: c.Name, Summary: c.Summary, Effect: c.Effect, Undo: c.Undo, Inputs: cardFields(c.Inputs), Outputs: cardFields(c.Outputs),
		Timeout: c.Timeout, Attempts: c.Attempts, Repeat: c.Repeat, Example: c.Example, With: abilities(a),
	}
}

func cardFields(in []playbooks.Field) []cardField {
	out := make([]cardField, 0, len(in))
	for _, f := range in {
		out = append(out, cardField(f))
	}
	return out
}

func (sh *shell) showAction(a activities.Action) error {
	if sh.JSON {
		return sh.printJSON(cardOf(a))
	}
	c := a.Card
	rows := [][]string{
		{"effect", c.Effect}, {"undone by", c.Undo}, {"time for one attempt", c.Timeout}, {"attempts", fmt.Sprint(c.Attempts)},
	}
	err := errors.Join(sh.say("%s: %s\n", c.Name, c.Summary), sh.table([]string{"action", c.Name}, rows),
		sh.fields("Inputs", "MUST BE GIVEN", c.Inputs), sh.fields("Outputs", "ALWAYS THERE", c.Outputs), sh.abilities(a))
	if err != nil || len(c.Example) == 0 {
		return err
	}
	raw, err := json.MarshalIndent(c.Example, "", "  ")
	if err != nil {
		return err
	}
	return sh.say("\nExample outputs\n%s", raw)
}

func (sh *shell) fields(title, required string, fields []playbooks.Field) error {
	var rows [][]string
	for _, f := range fields {
		must := ""
		if f.Required {
			must = "yes"
		}
		rows = append(rows, []string{f.Name, f.Type, must, f.Doc})
	}
	return sh.part(title, []string{"NAME", "TYPE", required, "WHAT"}, rows)
}

// abilities shows what each provider and store declares.
func (sh *shell) abilities(a activities.Action) error {
	var rows [][]string
	for _, x := range abilities(a) {
		row := []string{x.Who, "no", "", x.Why, ""}
		if x.Can {
			row = []string{x.Who, "yes", x.Reach, x.What, x.Undo}
		} else if x.ByHand != "" {
			row = []string{x.Who, "by hand", x.Reach, "a person makes it in " + x.ByHand + " and seals it", ""}
		}
		rows = append(rows, row)
	}
	return sh.part("Works with", []string{"WHO", "CAN", "FELT BY", "HOW", "TAKEN BACK"}, rows)
}
