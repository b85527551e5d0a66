package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/tourniquet-ir/tourniquet/playbooks/graph"
)

func (sh *shell) graphCmd() *cobra.Command {
	format := "svg"
	c := &cobra.Command{Use: "graph FILE|ID", Short: "A picture of a playbook: SVG, or Mermaid", Args: one("a file or the id of a playbook"),
		Long: "Draws what a playbook does: effects by colour and shape, and a striped bar with names wherever people must sign.\n\n" +
			"  tourniquet playbook graph llmjacking > llmjacking.svg\n" +
			"  tourniquet playbook graph llmjacking --format mermaid",
		RunE: func(_ *cobra.Command, args []string) error { return sh.graph(args[0], format) }}
	c.Flags().StringVar(&format, "format", "svg", "svg or mermaid")
	return c
}

func (sh *shell) graph(what, format string) error {
	if format != "svg" && format != "mermaid" {
		return misuse("--format takes svg or mermaid, not %q", format)
	}
	c, err := sh.configOrDefaults()
	if err != nil {
		return err
	}
	p, err := sh.find(what)
	if err != nil {
		return err
	}
	o := graph.Options{}
	if c.Path != "" { // without a configuration nobody knows the policy
		o.Default = c.Policy.Undoable.DefaultSignoff
	}
	picture := graph.SVG(p, o)
	if format == "mermaid" {
		picture = graph.Mermaid(p, o)
	}
	if sh.JSON {
		return sh.printJSON(struct {
			Playbook string `json:"playbook"`
			Digest   string `json:"digest"`
			Format   string `json:"format"`
			Picture  string `json:"picture"`
		}{p.ID, p.Digest, format, string(picture)})
	}
	_, err = sh.Out.Write([]byte(strings.TrimRight(string(picture), "\n") + "\n"))
	return err
}
