package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tourniquet-ir/tourniquet/integrations/sources"
)

func (sh *shell) sourceCmd() *cobra.Command {
	list := &cobra.Command{
		Use: "list", Short: "List the formats that findings arrive in", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return sh.sourceList() },
	}
	show := &cobra.Command{
		Use: "show NAME", Short: "Show how a source is set up, with an example", Args: exactly(1, "the name of one source"),
		ValidArgsFunction: completeSources,
		RunE:              func(_ *cobra.Command, args []string) error { return sh.sourceShow(args[0]) },
	}
	return group("source", "Where findings come from", list, show)
}

func completeSources(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return sourceNames(), cobra.ShellCompDirectiveNoFileComp
}

func sourceNames() []string {
	var names []string
	for _, s := range knownSources() {
		names = append(names, s.Name())
	}
	return names
}

// sourceNamed is the source, or the sentence for somebody who mistyped its name.
func sourceNamed(name string) (sources.Source, error) {
	all := knownSources()
	if i := indexSource(all, name); i >= 0 {
		return all[i], nil
	}
	return nil, misuse("there is no source %q; there are: %s", name, strings.Join(sourceNames(), ", "))
}

func (sh *shell) sourceList() error {
	cards := []sources.Card{}
	for _, s := range knownSources() {
		cards = append(cards, s.Describe())
	}
	if sh.JSON {
		return sh.printJSON(cards)
	}
	rows := [][]string{}
	for _, c := range cards {
		rows = append(rows, []string{c.Name, c.Path, c.Summary})
	}
	return sh.table([]string{"NAME", "PATH", "WHAT"}, rows)
}

func (sh *shell) sourceShow(name string) error {
	s, err := sourceNamed(name)
	if err != nil {
		return err
	}
	c := s.Describe()
	if sh.JSON {
		return sh.printJSON(c)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%s\n\nPOST    %s\nProof   %s\nKinds   %s\n", c.Name, c.Summary, c.Path, c.Auth, strings.Join(c.Kinds, ", "))
	for i, h := range c.Headers {
		fmt.Fprintf(&b, "%-7s %s\n", heading(i, "Headers"), h)
	}
	if len(c.SetUp) > 0 {
		b.WriteString("\nSet up\n")
	}
	for i, line := range c.SetUp {
		fmt.Fprintf(&b, "  %d. %s\n", i+1, line)
	}
	if len(c.Fields) > 0 {
		b.WriteString("\nFields\n")
	}
	for _, f := range c.Fields {
		need := ""
		if f.Required {
			need = " (required)"
		}
		fmt.Fprintf(&b, "  %-13s %s%s\n", f.Name, f.What, need)
	}
	fmt.Fprintf(&b, "\nExample\n%s\n", c.Example)
	_, err = fmt.Fprint(sh.Out, b.String())
	return err
}

// heading is the word in the first line of a block and nothing in the others.
func heading(i int, word string) string {
	if i == 0 {
		return word
	}
	return ""
}
