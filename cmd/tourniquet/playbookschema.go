package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tourniquet-ir/tourniquet/playbooks"
	"github.com/tourniquet-ir/tourniquet/playbooks/schema"
)

func (sh *shell) schemaCmd() *cobra.Command {
	return &cobra.Command{Use: "schema", Short: "The JSON Schema of playbooks, for your editor", Args: cobra.NoArgs,
		Long: "Prints one JSON Schema (draft-07) with every key, every action and its inputs; with a configuration, its groups, too.\n\n" +
			"  tourniquet playbook schema > playbook.schema.json\n\n" +
			"With yaml-language-server, begin a playbook with the line\n\n" +
			"  # yaml-language-server: $schema=./playbook.schema.json",
		RunE: func(*cobra.Command, []string) error { return sh.schema() }}
}

func (sh *shell) schema() error {
	c, err := sh.configOrDefaults()
	if err != nil {
		return err
	}
	w := languageWorld(c)
	if c.Path == "" {
		w.Groups = nil // nobody knows which groups there are
	}
	raw, err := schema.Of(playbooks.World{Actions: w.Actions, Groups: w.Groups})
	if err != nil {
		return err
	}
	_, err = fmt.Fprint(sh.Out, string(raw))
	return err
}
