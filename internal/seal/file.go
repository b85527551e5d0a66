package seal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// maxFile bounds what is read as a key file: a real one is a few hundred bytes.
const maxFile = 1 << 20

// readPrivate reads a small JSON file that nobody but its owner may read.
func readPrivate(path, what string, into any) error {
	f, err := os.Open(path) //nolint:gosec // the path is the operator's own setting
	if err != nil {
		return fmt.Errorf("opening the %s: %w", what, err)
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("looking at the %s %q: %w", what, path, err)
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("the %s %q is not a regular file", what, path)
	}
	if loose := info.Mode().Perm() & 0o077; loose != 0 {
		return fmt.Errorf("the %s %q has mode %04o, so other accounts may use it; run: chmod 600 %q",
			what, path, info.Mode().Perm(), path)
	}
	body, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return fmt.Errorf("reading the %s %q: %w", what, path, err)
	}
	if len(body) > maxFile {
		return fmt.Errorf("the %s %q is larger than %d bytes, so it is some other file", what, path, maxFile)
	}
	return parsePrivate(body, path, what, into)
}

// parsePrivate never repeats the decoder's own words about values: they could quote key material.
func parsePrivate(body []byte, path, what string, into any) error {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return fmt.Errorf("the %s %q is not the JSON that this version writes (damaged at about byte %d, or made by another version)",
			what, path, dec.InputOffset())
	}
	if dec.More() {
		return fmt.Errorf("the %s %q has something after its end at byte %d", what, path, dec.InputOffset())
	}
	return nil
}

// writePrivate makes the file complete or not at all, and never replaces one that exists: a link fails where a rename
// would overwrite the only key to somebody's data.
func writePrivate(path, what string, content any) error {
	body, err := json.MarshalIndent(content, "", "  ")
	if err != nil {
		return fmt.Errorf("writing the %s %q: %w", what, path, err)
	}
	dir := filepath.Dir(path)
	tmp, err := os.CreateTemp(dir, ".new-*") // made with mode 0600
	if err != nil {
		return fmt.Errorf("making the %s %q: %w", what, path, err)
	}
	defer func() { _ = os.Remove(tmp.Name()) }()
	_, err = tmp.Write(append(body, '\n'))
	err = errors.Join(err, tmp.Sync(), tmp.Close())
	if err == nil {
		err = os.Link(tmp.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("making the %s %q: %w", what, path, err)
	}
	return syncDir(dir)
}

// replacePrivate puts a new content in the place of a key file, complete or not at all. What was there stays beside it, under a name
// that ends in .before, until the next time.
func replacePrivate(path, what string, content any) error {
	kept := path + ".before"
	if err := os.Remove(kept); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("keeping the old %s: %w", what, err)
	}
	if err := os.Link(path, kept); err != nil {
		return fmt.Errorf("keeping the old %s: %w", what, err)
	}
	next := path + ".next"
	if err := os.Remove(next); err != nil && !errors.Is(err, fs.ErrNotExist) { // of a replacement that was cut short
		return fmt.Errorf("making the %s %q: %w", what, path, err)
	}
	if err := writePrivate(next, what, content); err != nil {
		return err
	}
	if err := os.Rename(next, path); err != nil {
		return fmt.Errorf("making the %s %q: %w", what, path, err)
	}
	return syncDir(filepath.Dir(path))
}

// syncDir makes the new name itself survive a power cut.
func syncDir(dir string) error {
	d, err := os.Open(dir) //nolint:gosec // the directory of a path that the operator set
	if err != nil {
		return fmt.Errorf("opening the directory %q: %w", dir, err)
	}
	defer func() { _ = d.Close() }()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("writing out the directory %q: %w", dir, err)
	}
	return nil
}

func missing(path string) (bool, error) {
	_, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("looking for %q: %w", path, err)
	}
	return false, nil
}
