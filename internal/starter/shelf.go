package starter

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"
	"time"

	"github.com/tourniquet-ir/tourniquet/playbooks"
)

// Shelf holds the library that is in force. A folder whose files changed is read again; when one of them is broken, the
// last good library serves on and the trouble is told. Runs that are open carry their program with them.
type Shelf struct {
	dir   fs.FS
	world playbooks.World

	mu      sync.Mutex
	lib     Library
	seen    string // digest of the folder as it was read last, good or not
	trouble *Trouble
}

// Trouble is why the files of the folder are not in force.
type Trouble struct {
	Err   error
	Since time.Time
}

// OpenShelf reads a folder for the first time. A library that is broken from the start is refused: there is no last
// good version to serve.
func OpenShelf(dir fs.FS, w playbooks.World) (*Shelf, error) {
	s := &Shelf{dir: dir, world: w}
	var err error
	if s.seen, err = folderDigest(dir); err != nil {
		return nil, err
	}
	s.lib, err = Load(dir, w)
	return s, err
}

// Library is the one in force now.
func (s *Shelf) Library() Library {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lib
}

// Trouble is nil while the files of the folder are those in force.
func (s *Shelf) Trouble() *Trouble {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.trouble
}

// Compile is a playbook as it was written down with a run, for a start that has to be repeated after its file changed.
func (s *Shelf) Compile(id, source string) (*playbooks.Program, bool) {
	_, bodies, err := sources(s.dir)
	if err != nil {
		return nil, false
	}
	w := s.world
	w.Playbooks = byID(bodies)
	p, _ := playbooks.Compile(id+".yaml", []byte(source), w) // it compiled when the run was written down
	return p, p != nil
}

// Read looks at the folder and takes what changed into force; changed is false when it lies as it was seen last.
func (s *Shelf) Read(now time.Time) (changed bool, err error) {
	seen, err := folderDigest(s.dir)
	if err == nil {
		if same, err := s.asSeen(seen); same {
			return false, err
		}
	}
	var lib Library
	if err == nil {
		lib, err = Load(s.dir, s.world)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		told := s.trouble != nil && s.trouble.Err.Error() == err.Error()
		if !told {
			s.trouble = &Trouble{Err: err, Since: now}
		}
		s.seen = seen
		return !told, err
	}
	s.lib, s.seen, s.trouble = lib, seen, nil
	return true, nil
}

// asSeen reports whether the folder lies as it was seen last, with the trouble that it had then.
func (s *Shelf) asSeen(digest string) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.trouble != nil {
		return digest == s.seen, s.trouble.Err
	}
	return digest == s.seen, nil
}

// Limits of a folder of playbooks.
const (
	maxFiles = 1000
	maxBytes = 1 << 20 // of one file; the compiler has a smaller limit and says so itself
)

// sources reads every playbook of a folder, test files left out.
func sources(dir fs.FS) (names []string, bodies map[string][]byte, err error) {
	if _, err := fs.Stat(dir, "."); err != nil {
		return nil, nil, fmt.Errorf("the playbooks folder cannot be read: %w", err)
	}
	found, err := fs.Glob(dir, "*.yaml")
	if err != nil {
		return nil, nil, err
	}
	if len(found) > maxFiles {
		return nil, nil, fmt.Errorf("the playbooks folder holds %d files; at most %d are read", len(found), maxFiles)
	}
	slices.Sort(found)
	bodies = map[string][]byte{}
	for _, name := range found {
		if isTest(name) {
			continue
		}
		if bodies[name], err = readRegular(dir, name); err != nil {
			return nil, nil, fmt.Errorf("the playbook %q cannot be read: %w", name, err)
		}
		names = append(names, name)
	}
	return names, bodies, nil
}

// readRegular refuses what is no file, so that a pipe in the folder cannot hold anybody up.
func readRegular(dir fs.FS, name string) ([]byte, error) {
	info, err := fs.Stat(dir, name)
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, errors.New("it is not a regular file")
	case info.Size() > maxBytes:
		return nil, fmt.Errorf("it is larger than %d bytes", maxBytes)
	}
	return fs.ReadFile(dir, name)
}

// folderDigest changes when a name or a byte does: times are not looked at, because a mounted folder may keep them.
func folderDigest(dir fs.FS) (string, error) {
	names, bodies, err := sources(dir)
	if err != nil {
		return "", err
	}
	h := sha256.New()
	for _, name := range names {
		sum := sha256.Sum256(bodies[name])
		_, _ = fmt.Fprintf(h, "%q %x\n", name, sum) // a hash takes everything
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
