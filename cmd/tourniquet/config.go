package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tourniquet-ir/tourniquet/internal/config"
)

func (sh *shell) configCmd() *cobra.Command {
	origin := false
	show := &cobra.Command{
		Use: "show", Short: "Show the values in force; secrets only as references", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return sh.configShow(cmd, origin) },
	}
	show.Flags().BoolVar(&origin, "origin", false, "say where each value comes from")
	check := &cobra.Command{
		Use: "check", Short: "Read the configuration and report every fault that it shows by itself", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			c, err := sh.load()
			if err != nil {
				return err
			}
			if sh.JSON {
				return sh.printJSON(map[string]string{"config": c.Path, "mode": c.Mode, "status": "ok"})
			}
			_, err = fmt.Fprintf(sh.Out, "%s is good (mode %s); tourniquet doctor checks what it refers to\n", sh.Config, c.Mode)
			return err
		},
	}
	return group("config", "The configuration in force", show, check)
}

// load reads the configuration; what is wrong with it is the caller's to mend, so the exit code is that of misuse.
func (sh *shell) load() (*config.Config, error) {
	c, err := config.Load(sh.Config)
	if err != nil {
		return nil, &coded{exitMisuse, err}
	}
	return c, nil
}

func (sh *shell) configShow(cmd *cobra.Command, origin bool) error {
	c, err := sh.load()
	if err != nil {
		return err
	}
	lines, err := linesOf(c.Path)
	if err != nil {
		return err
	}
	rows := []setting{sh.flagSetting(cmd, "config", sh.Config, "TOURNIQUET_CONFIG"), sh.flagSetting(cmd, "server", orElse(sh.Server, c.URL()), "TOURNIQUET_SERVER")}
	if rows[1].Origin == originDefault {
		rows[1].Origin = "the configuration"
	}
	for _, v := range valuesOf(c) {
		v.Origin = originDefault
		if line := lines[v.Name]; line > 0 {
			v.Origin = fmt.Sprintf("%s:%d", sh.Config, line)
		}
		rows = append(rows, v)
	}
	if !origin {
		for i := range rows {
			rows[i].Origin = ""
		}
	}
	if sh.JSON {
		return sh.printJSON(rows)
	}
	table, head := [][]string{}, []string{"NAME", "VALUE", "ORIGIN"}
	for _, r := range rows {
		table = append(table, []string{r.Name, r.Value, r.Origin})
	}
	if !origin {
		head = head[:2]
		for i := range table {
			table[i] = table[i][:2]
		}
	}
	return sh.table(head, table)
}

const originDefault = "default"

// flagSetting is a value that no file holds: flag before environment before default.
func (sh *shell) flagSetting(cmd *cobra.Command, flag, value, variable string) setting {
	s := setting{Name: "--" + flag, Value: value, Origin: originDefault}
	if v, ok := sh.Env(variable); ok && v != "" {
		s.Origin = "environment " + variable
	}
	if f := cmd.Flag(flag); f != nil && f.Changed {
		s.Origin = "flag --" + flag
	}
	return s
}

func orElse(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
