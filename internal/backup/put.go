package backup

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Read looks at a copy and says whether it is whole.
func Read(from string) (m Manifest, err error) {
	raw, err := os.ReadFile(filepath.Join(from, manifest))
	if errors.Is(err, fs.ErrNotExist) {
		return m, fmt.Errorf("%q is no backup, or one that was cut off: it has no %s", from, manifest)
	}
	if err == nil {
		err = json.Unmarshal(raw, &m)
	}
	if err != nil {
		return m, fmt.Errorf("%s of the backup cannot be read: %w", manifest, err)
	}
	for _, name := range []string{Records, Engine} {
		if m.Files[name] == "" {
			return m, fmt.Errorf("the backup %q does not hold %s", from, name)
		}
	}
	for name := range m.Files {
		if !filepath.IsLocal(name) {
			return m, fmt.Errorf("the backup names a file %q outside itself", name)
		}
	}
	for name, want := range m.Files {
		got, err := digest(filepath.Join(from, name))
		if err != nil {
			return m, fmt.Errorf("the backup is not whole: %w", err)
		}
		if got != want {
			return m, fmt.Errorf("%s in the backup is not what was written: it was damaged or changed", name)
		}
	}
	return m, nil
}

// Put puts a copy back into a data directory without databases. Key files that are missing in the directory are taken from the copy; those
// that are there stay.
func Put(from, dir string) (m Manifest, err error) {
	if m, err = Read(from); err != nil {
		return m, err
	}
	for _, name := range []string{Records, Records + "-wal", Engine, Engine + "-wal"} {
		if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
			return m, fmt.Errorf("there is a %q in %q already: move what is there aside first, nothing is written over", name, dir)
		}
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return m, fmt.Errorf("the data directory cannot be made: %w", err)
	}
	for _, name := range m.names() {
		to := filepath.Join(dir, filepath.Base(name))
		if _, err := os.Lstat(to); err == nil && strings.HasPrefix(name, keys) {
			continue
		}
		if err := os.RemoveAll(to + ".partial"); err != nil { // of an attempt that was cut off
			return m, err
		}
		if err := copyFile(filepath.Join(from, name), to+".partial"); err != nil {
			return m, fmt.Errorf("putting %s back: %w", name, err)
		}
	}
	if _, err := tree(filepath.Join(from, evidence), filepath.Join(dir, evidence)); err != nil {
		return m, fmt.Errorf("putting the evidence back: %w", err)
	}
	for _, name := range m.names() { // the records last: serve makes what is missing, and must find all or nothing
		to := filepath.Join(dir, filepath.Base(name))
		if err := os.Rename(to+".partial", to); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return m, fmt.Errorf("putting %s back: %w", name, err)
		}
	}
	return m, nil
}

// names are the files of a copy, the records last.
func (m Manifest) names() (all []string) {
	for name := range m.Files {
		all = append(all, name)
	}
	slices.Sort(all)
	return append(slices.DeleteFunc(all, func(n string) bool { return n == Records }), Records)
}
