package main

import (
	"context"
	"io/fs"
	"sync"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/console"
	"github.com/tourniquet-ir/tourniquet/internal/rehearse"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

// benchwork rehearses the playbooks in force, one at a time, when somebody first looks at them, and remembers by digest what their
// tests said. It is the same rehearsal as `playbook test`.
type benchwork struct {
	s    settings
	turn sync.Mutex // one rehearsal at a time: an incident needs the processor more

	mu    sync.Mutex
	known map[string]console.Tested // by digest; without a time: under way
}

func newBenchwork(s settings) *benchwork {
	return &benchwork{s: s, known: map[string]console.Tested{}}
}

// maxRemembered bounds the memory over many edits of a folder.
const maxRemembered = 500

// of is what the tests of a playbook said; not yet known where they are under way or do not exist.
func (b *benchwork) of(_ context.Context, p *playbooks.Program) (console.Tested, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	t, begun := b.known[p.Digest]
	if !begun {
		if len(b.known) >= maxRemembered {
			clear(b.known)
		}
		b.known[p.Digest] = console.Tested{}
		go b.rehearse(p)
	}
	return t, !t.At.IsZero()
}

func (b *benchwork) rehearse(p *playbooks.Program) {
	b.turn.Lock()
	defer b.turn.Unlock()
	file, err := b.file(p)
	if err != nil || file == nil {
		return
	}
	r := file.Run(rehearse.Options{Policy: b.s.Config.Policy})
	t := console.Tested{At: time.Now(), Digest: p.Digest, Coverage: r.Coverage.Percent()}
	for _, one := range r.Tests {
		if one.OK {
			t.Passed++
		} else {
			t.Failed = append(t.Failed, one.Name)
		}
	}
	b.mu.Lock()
	b.known[p.Digest] = t
	b.mu.Unlock()
}

// file is the test that lies beside a playbook and tests just this source; nil where there is none.
func (b *benchwork) file(p *playbooks.Program) (*rehearse.File, error) {
	dir, path, err := libraryFolder(b.s)
	if err != nil {
		return nil, err
	}
	at := bench{dir, path, p.ID + testSuffix}
	if _, err := fs.Stat(dir, at.name); err != nil {
		return nil, nil //nolint:nilerr,nilnil // a playbook may have no test
	}
	body, err := fs.ReadFile(dir, p.ID+".yaml")
	if err != nil || string(body) != p.Source {
		return nil, err // the file was changed meanwhile, or has another name
	}
	sh := &shell{Config: b.s.Config.Path}
	file, _, err := sh.rehearsable(at, func(s sheet) playbooks.World {
		w := languageWorld(b.s.Config)
		w.Playbooks = s.library
		return w
	})
	return file, err
}
