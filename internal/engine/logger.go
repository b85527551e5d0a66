//go:build !slim

package engine

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"syscall"

	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/log/tag"
)

// serverLogger hands the server's errors to ours and drops its chatter. While muted it says nothing: a server that starts
// or stops reports every connection that it does not have yet or loses itself.
type serverLogger struct {
	out   *slog.Logger
	muted *atomic.Bool
}

// fatalError is a reason for which the server would have ended the process.
type fatalError struct {
	msg string
	err error
}

func (e *fatalError) Error() string {
	if e.err == nil {
		return e.msg
	}
	return e.msg + ": " + e.err.Error()
}

func (e *fatalError) Unwrap() error { return e.err }

// With keeps the tags for all that follows.
func (l serverLogger) With(tags ...tag.Tag) log.Logger {
	return serverLogger{out: slog.New(l.out.Handler().WithAttrs(attrs(tags))), muted: l.muted}
}

func (serverLogger) Debug(string, ...tag.Tag) {}
func (serverLogger) Info(string, ...tag.Tag)  {}
func (serverLogger) Warn(string, ...tag.Tag)  {}

func (l serverLogger) Error(msg string, tags ...tag.Tag) {
	if !l.muted.Load() {
		l.out.LogAttrs(context.Background(), slog.LevelError, "workflow engine: "+msg, attrs(tags)...)
	}
}

// DPanic marks a broken invariant that the server survives.
func (l serverLogger) DPanic(msg string, tags ...tag.Tag) { l.Error(msg, tags...) }

// Panic must not return.
func (l serverLogger) Panic(msg string, tags ...tag.Tag) { l.Fatal(msg, tags...) }

// Fatal must not return either. It panics instead of ending the process: Start turns that into an error.
func (l serverLogger) Fatal(msg string, tags ...tag.Tag) {
	fatal := &fatalError{msg: msg}
	for _, t := range tags {
		if t.Key() != "error" {
			continue
		}
		if err, ok := t.Value().(error); ok {
			fatal.err = err
		} else {
			fatal.err = fmt.Errorf("%v", t.Value())
		}
	}
	// Tags carry an error as its text.
	if fatal.err != nil && strings.Contains(fatal.err.Error(), syscall.EADDRINUSE.Error()) {
		fatal.err = fmt.Errorf("%w (%w)", fatal.err, syscall.EADDRINUSE)
	}
	panic(fatal)
}

func attrs(tags []tag.Tag) []slog.Attr {
	out := make([]slog.Attr, len(tags))
	for i, t := range tags {
		out[i] = slog.Any(t.Key(), t.Value())
	}
	return out
}
