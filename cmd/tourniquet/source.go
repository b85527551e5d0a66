package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tourniquet-ir/tourniquet/integrations/sources"
	"github.com/tourniquet-ir/tourniquet/internal/config"
	"github.com/tourniquet-ir/tourniquet/internal/diag"
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
	check := &cobra.Command{
		Use: "test [NAME]", Short: "Check the sources that the configuration maps, and run their tests; needs no server", Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return sh.sourceTest(args) },
	}
	return group("source", "Where findings come from", list, show, check)
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
	s, err := sh.sourceShown(name)
	if err != nil {
		return err
	}
	c := s.Describe()
	if sh.JSON {
		return sh.printJSON(c)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%s\n\nPOST    %s\nProof   %s\nKinds   %s\nTypes   %s\n", c.Name, c.Summary, c.Path, c.Auth, strings.Join(c.Kinds, ", "), strings.Join(c.Media, ", "))
	if c.Keeps {
		b.WriteString("Unread  what cannot be read is kept as it came and set aside with the reason\n")
	}
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

// sourceShown is one of ours, or one that the configuration maps; the configuration is only looked at for the second.
func (sh *shell) sourceShown(name string) (sources.Source, error) {
	if indexSource(knownSources(), name) < 0 {
		if c, err := config.Load(sh.Config); err == nil && c.Sources[name].Trust != "" {
			s, _, err := sourceOf(c, name)
			return s, err
		}
	}
	return sourceNamed(name)
}

// sourceTest compiles what the configuration maps and runs the tests beside it.
func (sh *shell) sourceTest(args []string) error {
	c, err := sh.load()
	if err != nil {
		return err
	}
	type tested struct {
		Source string       `json:"source"`
		Tests  int          `json:"tests"`
		Faults []diag.Fault `json:"faults"`
	}
	all, bad := []tested{}, 0
	for _, name := range slices.Sorted(maps.Keys(c.Sources)) {
		if conf := c.Sources[name]; conf.Mapped() && (len(args) == 0 || args[0] == name) {
			_, faults := sources.NewMapped(name, mappingOf(c, conf))
			all = append(all, tested{name, len(conf.Tests), append([]diag.Fault{}, faults...)})
			bad += len(faults)
		}
	}
	switch {
	case len(args) == 1 && len(all) == 0:
		return misuse("the configuration maps no source %q", args[0])
	case sh.JSON:
		err = sh.printJSON(all)
	case len(all) == 0:
		err = sh.say("the configuration maps no source of its own")
	}
	for _, t := range all {
		if sh.JSON {
			break
		}
		said := fmt.Sprintf("%s: %d tests hold", t.Source, t.Tests)
		if len(t.Faults) > 0 {
			said = strings.TrimRight(diag.Text(c.Text, t.Faults), "\n")
		}
		err = errors.Join(err, sh.say("%s", said))
	}
	if err == nil && bad > 0 {
		err = fmt.Errorf("%d faults in mapped sources", bad)
	}
	return err
}

// heading is the word in the first line of a block and nothing in the others.
func heading(i int, word string) string {
	if i == 0 {
		return word
	}
	return ""
}
