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
	names, bodies, err := sources(dir)
	if err != nil {
		return Library{}, err
	}
	w.Playbooks = byID(bodies)
	var lib Library
	for _, name := range names {
		p, faults := playbooks.Compile(name, bodies[name], w)
		if p == nil {
			return Library{}, &Broken{File: name, Source: bodies[name], Faults: faults}
		}
		if twin, twice := lib.Find(p.ID); twice {
			return Library{}, fmt.Errorf("%s: the id %q is that of another playbook too (%q); an id names one", name, p.ID, twin.Title)
		}
		lib.Programs = append(lib.Programs, p)
	}
	if len(lib.Programs) == 0 {
		return Library{}, fmt.Errorf("there is no playbook in the playbooks folder, so no alert would be answered")
	}
	return lib, nil
}

// byID are the sources under which sub-playbooks are looked up.
func byID(bodies map[string][]byte) map[string][]byte {
	out := map[string][]byte{}
	for name, body := range bodies {
		out[strings.TrimSuffix(path.Base(name), ".yaml")] = body
	}
	return out
}

func isTest(name string) bool { return strings.HasSuffix(name, "_test.yaml") }

// Find a playbook by id.
func (l Library) Find(id string) (*playbooks.Program, bool) {
	i := slices.IndexFunc(l.Programs, func(p *playbooks.Program) bool { return p.ID == id })
	if i < 0 {
		return nil, false
	}
	return l.Programs[i], true
}
