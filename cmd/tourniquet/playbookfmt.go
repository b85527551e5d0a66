package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/tourniquet-ir/tourniquet/playbooks/format"
)

func (sh *shell) fmtCmd() *cobra.Command {
	write, check := false, false
	c := &cobra.Command{Use: "fmt FILE|FOLDER…", Short: "Give playbooks and their tests one shape; comments stay",
		Long: "Prints the file in its shape; with -w writes it back, with --check only says which files are not in it (exit 1).",
		Args: oneOrMore("files or folders"),
		RunE: func(_ *cobra.Command, args []string) error { return sh.format(args, write, check) }}
	c.Flags().BoolVarP(&write, "write", "w", false, "write the files back")
	c.Flags().BoolVar(&check, "check", false, "name the files that are not in shape, and change none")
	return c
}

// oneOrMore refuses nothing at all.
func oneOrMore(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return misuse("%s takes %s", cmd.CommandPath(), what)
		}
		return nil
	}
}

func (sh *shell) format(paths []string, write, check bool) error {
	if write && check {
		return misuse("-w writes and --check does not: give one of them")
	}
	files, err := yamlFiles(paths)
	if err != nil {
		return err
	}
	if len(files) > 1 && !write && !check {
		return misuse("several files are not printed at once; use -w or --check")
	}
	broken, changed := 0, 0
	for _, file := range files {
		moved, err := sh.formatOne(file, write, check)
		if err != nil {
			broken++
			sh.talk("%s: %v", file, err)
		}
		if moved {
			changed++
		}
	}
	switch {
	case broken > 0:
		return misuse("%d of %d files cannot be formatted", broken, len(files))
	case check && changed > 0:
		return fmt.Errorf("%d of %d files are not in shape; run: tourniquet playbook fmt -w", changed, len(files))
	}
	return nil
}

// formatOne reports whether the file was not in its shape.
func (sh *shell) formatOne(file string, write, check bool) (bool, error) {
	dir, name := filepath.Split(file)
	before, err := readSheet(os.DirFS(filepath.Clean(dir+".")), name)
	if err != nil {
		return false, err
	}
	after, err := format.Source(before)
	if err != nil {
		return false, err
	}
	moved := !bytes.Equal(before, after)
	switch {
	case check && moved:
		return true, sh.say("%s", file)
	case write && moved:
		return true, replace(file, after)
	case !write && !check:
		_, err = sh.Out.Write(after)
	}
	return moved, err
}

// replace writes a file whole or not at all, with the permissions that it had.
func replace(file string, body []byte) error {
	info, err := os.Stat(file)
	if err != nil {
		return err
	}
	if err := writeWhole(file, string(body), true); err != nil {
		return err
	}
	return os.Chmod(file, info.Mode().Perm())
}

// yamlFiles are the files themselves and those of folders, tests included.
func yamlFiles(paths []string) ([]string, error) {
	var out []string
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil, misuse("there is no file or folder %q", path)
		}
		if !info.IsDir() {
			out = append(out, path)
			continue
		}
		found, err := filepath.Glob(filepath.Join(path, "*.yaml"))
		if err != nil || len(found) == 0 {
			return nil, misuse("there is no *.yaml in the folder %q", path)
		}
		out = append(out, found...)
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}
