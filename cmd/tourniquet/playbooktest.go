package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tourniquet-ir/tourniquet/internal/diag"
	"github.com/tourniquet-ir/tourniquet/internal/rehearse"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

// testFlags is what `playbook test` is told.
type testFlags struct {
	junit string
	least int
}

func (sh *shell) playbookTestCmd() *cobra.Command {
	f := testFlags{}
	c := &cobra.Command{
		Use: "test [FILE|FOLDER…]", Short: "Rehearse playbooks with the tests that lie beside them",
		Long: "Run <name>_test.yaml beside <name>.yaml: the real workflow in virtual time, with scripted people who really sign. Says what\n" +
			"differed and which steps and branches no test reached. The exit code is 1 when a test fails, 2 when a file is broken.",
		RunE: func(_ *cobra.Command, args []string) error { return sh.testPlaybooks(args, f) },
	}
	c.Flags().StringVar(&f.junit, "junit", "", "write the result as JUnit XML to this file, too")
	c.Flags().IntVar(&f.least, "min-coverage", 0, "fail when less than this percentage of steps and branches is reached")
	return c
}

// bench is a test file with the folder in which its playbook lies.
type bench struct {
	dir          fs.FS
	prefix, name string
}

func (b bench) shown() string { return filepath.Join(b.prefix, b.name) }

const testSuffix = "_test.yaml"

// benches finds test files; without paths those of the configured folder or of the shipped library.
func (sh *shell) benches(paths []string) ([]bench, error) {
	if len(paths) == 0 {
		c, err := sh.configOrDefaults()
		if err != nil {
			return nil, err
		}
		if c.Playbooks.Dir == "" {
			shipped, err := fs.Sub(playbooks.Library, "library")
			if err != nil {
				return nil, err
			}
			return sh.benchesIn(shipped, "")
		}
		paths = []string{c.At(c.Playbooks.Dir)}
	}
	var out []bench
	for _, path := range paths {
		more, err := sh.benchesAt(path)
		if err != nil {
			return nil, err
		}
		out = append(out, more...)
	}
	return out, nil
}

func (sh *shell) benchesAt(path string) ([]bench, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, misuse("there is no file or folder %q", path)
	}
	if info.IsDir() {
		found, err := sh.benchesIn(os.DirFS(path), path)
		if err == nil && len(found) == 0 {
			err = misuse("there is no test (*%s) in the folder %q; see: tourniquet playbook test --help", testSuffix, path)
		}
		return found, err
	}
	folder, name := filepath.Split(path)
	if !strings.HasSuffix(name, testSuffix) {
		name = strings.TrimSuffix(name, ".yaml") + testSuffix
	}
	b := bench{os.DirFS(filepath.Clean(folder)), folder, name}
	if _, err := fs.Stat(b.dir, name); err != nil {
		return nil, misuse("%q has no test: there is no file %q", path, b.shown())
	}
	return []bench{b}, nil
}

// benchesIn lists the tests of a folder and says which playbooks have none.
func (sh *shell) benchesIn(dir fs.FS, prefix string) ([]bench, error) {
	names, err := fs.Glob(dir, "*.yaml")
	if err != nil {
		return nil, err
	}
	var out []bench
	for _, name := range names {
		switch {
		case strings.HasSuffix(name, testSuffix):
			out = append(out, bench{dir, prefix, name})
		case !slices.Contains(names, strings.TrimSuffix(name, ".yaml")+testSuffix):
			_, _ = fmt.Fprintf(sh.Talk, "%s has no test\n", visible(filepath.Join(prefix, name)))
		}
	}
	return out, nil
}

func (sh *shell) testPlaybooks(paths []string, f testFlags) error {
	benches, err := sh.benches(paths)
	if err != nil {
		return err
	}
	world, err := sh.world()
	if err != nil {
		return err
	}
	policy, err := sh.policy()
	if err != nil {
		return err
	}
	o := rehearse.Options{Policy: policy}
	reports, broken := []rehearse.Report{}, 0
	for _, b := range benches {
		file, faults, err := sh.rehearsable(b, world)
		if err != nil {
			return err
		}
		if file == nil {
			broken++
			_, _ = fmt.Fprint(sh.Talk, faults)
			continue
		}
		reports = append(reports, file.Run(o))
	}
	if err := sh.tellTests(reports, f); err != nil {
		return err
	}
	if broken > 0 {
		return misuse("%d of %d test files cannot be run", broken, len(benches))
	}
	return judgeTests(reports, f.least)
}

// rehearsable reads a test file and its playbook; the file is nil, and faults say why, where either cannot be used.
func (sh *shell) rehearsable(b bench, world func(sheet) playbooks.World) (file *rehearse.File, faults string, err error) {
	body, err := readSheet(b.dir, b.name)
	if err != nil {
		return nil, "", err
	}
	file, found := rehearse.Read(b.shown(), body)
	if file == nil {
		return nil, diag.Text(body, found), nil
	}
	library, err := siblings(b.dir)
	if err != nil {
		return nil, "", err
	}
	source, ok := library[strings.TrimSuffix(file.Playbook, ".yaml")]
	if !ok {
		return nil, "", misuse("%s tests %q, which does not lie beside it", b.shown(), file.Playbook)
	}
	s := sheet{filepath.Join(b.prefix, file.Playbook), source, library}
	w := world(s)
	program, found := playbooks.Compile(s.name, source, w)
	if program == nil {
		return nil, diag.Text(source, found), nil
	}
	if found := file.Bind(program, w.Actions); diag.HasErrors(found) {
		return nil, diag.Text(body, found), nil
	}
	return file, "", nil
}

// tellTests prints the reports and writes the file for continuous integration.
func (sh *shell) tellTests(reports []rehearse.Report, f testFlags) error {
	if f.junit != "" {
		out, err := os.Create(f.junit)
		if err != nil {
			return misuse("the file for --junit cannot be written: %w", err)
		}
		err = rehearse.JUnit(out, reports)
		if closed := out.Close(); err == nil {
			err = closed
		}
		if err != nil {
			return fmt.Errorf("the file for --junit cannot be written: %w", err)
		}
	}
	if sh.JSON {
		return sh.printJSON(reports)
	}
	_, err := fmt.Fprint(sh.Out, rehearse.Text(reports))
	return err
}

func judgeTests(reports []rehearse.Report, least int) error {
	failed, thin := 0, 0
	for _, r := range reports {
		failed += r.Failed()
		if r.Coverage.Percent() < least {
			thin++
		}
	}
	switch {
	case failed > 0:
		return &coded{exitFailed, fmt.Errorf("%d tests failed", failed)}
	case thin > 0:
		return &coded{exitFailed, fmt.Errorf("the tests of %d playbooks reach less than %d %% of steps and branches", thin, least)}
	}
	return nil
}
