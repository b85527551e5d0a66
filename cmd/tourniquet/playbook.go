package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"github.com/tourniquet-ir/tourniquet/internal/diag"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

func (sh *shell) playbookCmd() *cobra.Command {
	lint := &cobra.Command{Use: "lint [FILE|FOLDER…]", Short: "Check playbooks; silent when they are good",
		RunE: func(_ *cobra.Command, args []string) error { return sh.lint(args) }}
	list := &cobra.Command{Use: "list", Short: "The playbooks that answer", Args: cobra.NoArgs, RunE: func(*cobra.Command, []string) error { return sh.listPlaybooks() }}
	show := &cobra.Command{Use: "show FILE|ID", Short: "A playbook in plain sentences: what each step does and who must sign", Args: one("a file or the id of a playbook"),
		RunE: func(_ *cobra.Command, args []string) error { return sh.showPlaybook(args[0]) }}
	c := group("playbook", "Playbooks: write, check and read them; no server needed", lint, list, show)
	c.AddCommand(sh.playbookTestCmd(), sh.playbookPreviewCmd(), sh.playbookExplainCmd(), sh.schemaCmd(), sh.fmtCmd(), sh.graphCmd(), sh.newPlaybookCmd())
	return c
}

// sheet is one playbook that was read, with the folder it lies in for its sub-playbooks.
type sheet struct {
	name    string // as people see it
	source  []byte
	library map[string][]byte
}

// maxPlaybook bounds what is read; the compiler has smaller limits and says so itself.
const maxPlaybook = 4 << 20

// sheets reads files and folders; without any, the folder of the configuration or the shipped library.
func (sh *shell) sheets(paths []string) ([]sheet, error) {
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
			return folder(shipped, "")
		}
		paths = []string{c.At(c.Playbooks.Dir)}
	}
	var out []sheet
	for _, path := range paths {
		more, err := sheetsAt(path)
		if err != nil {
			return nil, err
		}
		out = append(out, more...)
	}
	return out, nil
}

func sheetsAt(path string) ([]sheet, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, misuse("there is no file or folder %q", path)
	}
	if info.IsDir() {
		found, err := folder(os.DirFS(path), path)
		if err == nil && len(found) == 0 {
			err = misuse("there is no playbook (*.yaml) in the folder %q", path)
		}
		return found, err
	}
	dir, name := filepath.Split(path)
	if dir == "" {
		dir = "."
	}
	source, err := readSheet(os.DirFS(dir), name)
	if err != nil {
		return nil, err
	}
	library, err := siblings(os.DirFS(dir))
	return []sheet{{path, source, library}}, err
}

// folder reads every playbook of a folder, test files left out.
func folder(dir fs.FS, prefix string) ([]sheet, error) {
	library, err := siblings(dir)
	if err != nil {
		return nil, err
	}
	var out []sheet
	for id, source := range library {
		out = append(out, sheet{filepath.Join(prefix, id+".yaml"), source, library})
	}
	slices.SortFunc(out, func(a, b sheet) int { return strings.Compare(a.name, b.name) })
	return out, nil
}

func siblings(dir fs.FS) (map[string][]byte, error) {
	names, err := fs.Glob(dir, "*.yaml")
	if err != nil {
		return nil, err
	}
	out := map[string][]byte{}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.yaml") {
			continue
		}
		if out[strings.TrimSuffix(name, ".yaml")], err = readSheet(dir, name); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func readSheet(dir fs.FS, name string) ([]byte, error) {
	info, err := fs.Stat(dir, name)
	if err != nil || !info.Mode().IsRegular() {
		return nil, misuse("%q is not a file that can be read", name)
	}
	if info.Size() > maxPlaybook {
		return nil, misuse("%q is larger than %d bytes, so it is no playbook", name, maxPlaybook)
	}
	return fs.ReadFile(dir, name)
}

// world is what playbooks are checked against. Without a configuration nobody knows which groups there are: every group that
// a playbook names then counts as one.
func (sh *shell) world() (func(sheet) playbooks.World, error) {
	c, err := sh.configOrDefaults()
	if err != nil {
		return nil, err
	}
	return func(s sheet) playbooks.World {
		w := languageWorld(c)
		w.Playbooks = s.library
		if c.Path == "" {
			w.Groups = map[string]int{}
			addGroups(w.Groups, s.source)
			for _, source := range s.library {
				addGroups(w.Groups, source)
			}
		}
		return w
	}, nil
}

func addGroups(into map[string]int, source []byte) {
	if len(source) > playbooks.MaxFile {
		return
	}
	var doc yaml.Node
	if yaml.Unmarshal(source, &doc) == nil { // a broken file has no groups; the compiler says what is wrong with it
		namedGroups(into, &doc)
	}
}

func namedGroups(into map[string]int, n *yaml.Node) {
	for i, kid := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 1 && kid.Kind == yaml.ScalarNode {
			switch n.Content[i-1].Value {
			case "group", "else", "from", "to":
				into[kid.Value] = -1
			}
		}
		namedGroups(into, kid)
	}
}

func (sh *shell) lint(paths []string) error {
	sheets, err := sh.sheets(paths)
	if err != nil {
		return err
	}
	world, err := sh.world()
	if err != nil {
		return err
	}
	all, bad := []diag.Fault{}, 0
	for _, s := range sheets {
		_, faults := playbooks.Compile(s.name, s.source, world(s))
		if diag.HasErrors(faults) {
			bad++
		}
		all = append(all, faults...)
		if !sh.JSON {
			if _, err := fmt.Fprint(sh.Out, diag.Text(s.source, faults)); err != nil {
				return err
			}
		}
	}
	if sh.JSON {
		raw, err := diag.JSON(all)
		if err != nil {
			return err
		}
		if err := sh.printRaw(raw); err != nil {
			return err
		}
	}
	if bad > 0 {
		return misuse("%d of %d playbooks cannot be used", bad, len(sheets))
	}
	return nil
}

// find is a playbook by file or, where there is no such file, by id.
func (sh *shell) find(what string) (*playbooks.Program, error) {
	var candidates []sheet
	var err error
	if _, missing := os.Stat(what); missing == nil {
		candidates, err = sheetsAt(what)
	} else {
		candidates, err = sh.sheets(nil)
		candidates = slices.DeleteFunc(candidates, func(s sheet) bool { return idOf(s.name) != what })
	}
	if err != nil {
		return nil, err
	}
	if len(candidates) != 1 {
		return nil, misuse("there is no playbook file and no playbook with the id %q; see: tourniquet playbook list", what)
	}
	world, err := sh.world()
	if err != nil {
		return nil, err
	}
	s := candidates[0]
	p, faults := playbooks.Compile(s.name, s.source, world(s))
	if p == nil {
		_, _ = fmt.Fprint(sh.Talk, diag.Text(s.source, faults))
		return nil, misuse("%q cannot be used", s.name)
	}
	return p, nil
}

func idOf(name string) string { return strings.TrimSuffix(filepath.Base(name), ".yaml") }
