package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// diskSize is enough for the records of one siege, and soon filled.
const diskSize = "size=256m"

// mount puts a small disk at a folder. Where that is not allowed the folder stays as it is, and full and read-only disks are
// made with a limit on the size of files instead.
func mount(dir string) (unmount func(), err error) {
	switch err := unix.Mount("tmpfs", dir, "tmpfs", 0, diskSize); {
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES):
		say("no disk of its own can be mounted here (%v): the size of files is limited instead", err)
		return func() {}, nil
	case err != nil:
		return nil, fmt.Errorf("mounting a small disk at %q: %w", dir, err)
	}
	return func() { _ = unix.Unmount(dir, unix.MNT_DETACH) }, nil // a folder of ours that nobody uses any more
}

func (g *siege) mounted() bool {
	var st unix.Statfs_t
	return unix.Statfs(g.data(), &st) == nil && st.Type == unix.TMPFS_MAGIC && st.Blocks*uint64(st.Bsize) <= 300<<20 //nolint:gosec // never negative
}

// fill leaves no room for one more byte.
func (g *siege) fill() (func(context.Context) error, error) {
	if !g.mounted() {
		return g.limit()
	}
	filler := filepath.Join(g.data(), "filler")
	f, err := os.Create(filler) //nolint:gosec // our own disk
	if err != nil {
		return nil, err
	}
	block := make([]byte, 1<<16)
	for n := len(block); n > 0; {
		if _, err = f.Write(block[:n]); err != nil {
			n /= 2 // the last bytes, too
		}
	}
	if !errors.Is(err, unix.ENOSPC) {
		return nil, fmt.Errorf("the disk does not become full: %w", err)
	}
	return func(context.Context) error { return os.Remove(filler) }, f.Close()
}

// readOnly lets nothing be written, not even where there is room.
func (g *siege) readOnly() (func(context.Context) error, error) {
	if !g.mounted() {
		return g.limit()
	}
	remount := func(flags uintptr) error {
		return unix.Mount("tmpfs", g.data(), "tmpfs", unix.MS_REMOUNT|flags, diskSize)
	}
	if err := remount(unix.MS_RDONLY); err == nil {
		return func(context.Context) error { return remount(0) }, nil
	}
	// Files that are open for writing keep the whole disk from becoming read-only. A limit of nothing does the same to serve.
	return g.limit()
}

// limit lets serve make no file larger than one byte.
func (g *siege) limit() (func(context.Context) error, error) {
	var was unix.Rlimit
	if err := unix.Prlimit(g.Pid(), unix.RLIMIT_FSIZE, nil, &was); err != nil {
		return nil, fmt.Errorf("reading the limits of serve: %w", err)
	}
	now := unix.Rlimit{Cur: 1, Max: was.Max}
	if err := unix.Prlimit(g.Pid(), unix.RLIMIT_FSIZE, &now, nil); err != nil {
		return nil, fmt.Errorf("limiting the files of serve: %w", err)
	}
	pid := g.Pid()
	return func(context.Context) error {
		if g.crashed() || g.Pid() != pid {
			return nil
		}
		return unix.Prlimit(pid, unix.RLIMIT_FSIZE, &was, nil)
	}, nil
}
