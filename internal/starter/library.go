package starter

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/tourniquet-ir/tourniquet/internal/diag"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

// Library is the set of playbooks that may answer.
type Library struct{ Programs []*playbooks.Program }

// Broken is a playbook that cannot be used, with every fault.
type Broken struct {
	File   string
	Source []byte
	Faults []diag.Fault
}

func (b *Broken) Error() string {
	if len(b.Faults) == 0 {
		return fmt.Sprintf("the playbook %q cannot be used", b.File)
	}
	f := b.Faults[0]
	return fmt.Sprintf("%s:%d:%d: %s (%d faults; see: tourniquet playbook lint %s)", b.File, f.Line, f.Column, f.Message, len(b.Faults), b.File)
}

// Load compiles every playbook of a folder, test files left out. One broken file refuses the whole: a response that
// somebody relies on must not go missing in silence.
func Load(dir fs.FS, w playbooks.World) (Library, error) {
	names, err := fs.Glob(dir, "*.yaml")
	if err != nil {
		return Library{}, err
	}
	slices.Sort(names)
	sources := map[string][]byte{}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.yaml") {
			continue
		}
		if sources[name], err = fs.ReadFile(dir, name); err != nil {
			return Library{}, fmt.Errorf("the playbook %q cannot be read: %w", name, err)
		}
	}
	w.Playbooks = map[string][]byte{}
	for _, name := range names {
		if src, ok := sources[name]; ok {
			w.Playbooks[strings.TrimSuffix(path.Base(name), ".yaml")] = src
		}
	}
	var lib Library
	for _, name := range names {
		src, ok := sources[name]
		if !ok {
			continue
		}
		p, faults := playbooks.Compile(name, src, w)
		if p == nil {
			return Library{}, &Broken{File: name, Source: src, Faults: faults}
		}
		lib.Programs = append(lib.Programs, p)
	}
	if len(lib.Programs) == 0 {
		return Library{}, fmt.Errorf("there is no playbook in the playbooks folder, so no alert would be answered")
	}
	return lib, nil
}

// Find a playbook by id.
func (l Library) Find(id string) (*playbooks.Program, bool) {
	i := slices.IndexFunc(l.Programs, func(p *playbooks.Program) bool { return p.ID == id })
	if i < 0 {
		return nil, false
	}
	return l.Programs[i], true
}
