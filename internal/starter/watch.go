package starter

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/fsnotify/fsnotify"
)

// Pace of watching a folder.
type Pace struct {
	Settle time.Duration // how long a folder must be quiet before it is read: editors write in several steps
	Look   time.Duration // how often it is read anyhow: network file systems and swapped folders tell nobody
}

// DefaultPace is what serve uses.
func DefaultPace() Pace { return Pace{Settle: 300 * time.Millisecond, Look: 15 * time.Second} }

// Watch reads the shelf again when the files at path change, until ctx ends. Every outcome is logged once.
func (s *Shelf) Watch(ctx context.Context, path string, p Pace, log *slog.Logger) {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		log.Warn("changes of the playbooks are only seen by looking from time to time", "every", p.Look, "error", err)
	} else {
		defer func() { _ = watcher.Close() }()
	}
	look := time.NewTicker(p.Look)
	defer look.Stop()
	settle := time.NewTimer(p.Settle)
	defer settle.Stop()
	for {
		follow(watcher, path, log)
		select {
		case <-ctx.Done():
			return
		case <-events(watcher):
			settle.Reset(p.Settle)
			continue
		case err := <-faults(watcher):
			log.Warn("a change of the playbooks may have been missed; they are looked at from time to time", "every", p.Look, "error", err)
		case <-settle.C:
		case <-look.C:
		}
		s.refresh(path, log)
	}
}

// follow watches the folder that path names now: it may have been swapped for another.
func follow(w *fsnotify.Watcher, path string, log *slog.Logger) {
	if w == nil {
		return
	}
	if err := w.Add(path); err != nil && !errors.Is(err, fsnotify.ErrClosed) {
		log.Debug("the folder of playbooks cannot be watched just now", "folder", path, "error", err)
	}
}

func events(w *fsnotify.Watcher) <-chan fsnotify.Event {
	if w == nil {
		return nil
	}
	return w.Events
}

func faults(w *fsnotify.Watcher) <-chan error {
	if w == nil {
		return nil
	}
	return w.Errors
}

func (s *Shelf) refresh(path string, log *slog.Logger) {
	changed, err := s.Read(time.Now())
	switch {
	case err != nil && changed:
		log.Error("a playbook is broken, so the last good versions serve on", "folder", path, "error", err)
	case changed:
		log.Info("the playbooks changed and are in force for new runs", "folder", path, "playbooks", len(s.Library().Programs))
	}
}
