package engine

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// DirLock is the exclusive use of a data directory. The kernel drops it when the process dies, however it dies.
type DirLock struct{ file *os.File }

// LockDir makes the directory (mode 0700) when it is missing and takes it for this process, or says who has it.
func LockDir(dir string) (*DirLock, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the data directory: %w", err)
	}
	path := filepath.Join(dir, "lock")
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // the operator's own directory
	if err != nil {
		return nil, fmt.Errorf("opening the lock of the data directory: %w", err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil { //nolint:gosec // descriptors fit
		defer func() { _ = file.Close() }()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("another tourniquet (pid %s) uses this directory: %q", holder(file), dir)
		}
		return nil, fmt.Errorf("locking the data directory %q: %w", dir, err)
	}
	// The number only serves the sentence above; the lock itself does not depend on it.
	if err := file.Truncate(0); err == nil {
		_, _ = file.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	}
	return &DirLock{file: file}, nil
}

// Release gives the directory back. A second call does nothing.
func (l *DirLock) Release() error {
	if l == nil || l.file == nil {
		return nil
	}
	file := l.file
	l.file = nil
	if err := file.Close(); err != nil {
		return fmt.Errorf("releasing the data directory: %w", err)
	}
	return nil
}

func holder(file *os.File) string {
	body, err := io.ReadAll(io.LimitReader(file, 32))
	pid := strings.TrimSpace(string(body))
	if err != nil || pid == "" {
		return "unknown"
	}
	return pid
}
