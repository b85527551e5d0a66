package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/evidence"
	"github.com/tourniquet-ir/tourniquet/internal/seal"
)

// How much room a disk needs: below the first serve may stop at any moment, below the second somebody should look.
const (
	leastRoom = 256 << 20
	goodRoom  = 2 << 30
)

// room looks at the disk under a folder, or under the nearest one above it that exists.
func (e *examination) room(dir string) {
	for {
		if _, err := os.Stat(dir); err == nil || filepath.Dir(dir) == dir {
			break
		}
		dir = filepath.Dir(dir)
	}
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		e.note("disk space", "", "the system does not say how much is free under %q: %s", dir, err)
		return
	}
	e.judgeRoom(dir, fs.Bavail*uint64(fs.Bsize), fs.Files, fs.Ffree) //nolint:gosec // a block has a positive size
}

func (e *examination) judgeRoom(dir string, free, files, freeFiles uint64) {
	const mend = "make room, or move server.data_dir; docs/operate.md says what grows"
	said := fmt.Sprintf("%d MiB are free under %q", free>>20, dir)
	switch {
	case free < leastRoom:
		e.fault("disk space", fmt.Errorf("only %s", said), mend)
	case files > 0 && freeFiles == 0:
		e.fault("disk space", fmt.Errorf("no file can be made under %q: its inodes are used up", dir), mend)
	case free < goodRoom:
		e.note("disk space", mend, "only %s", said)
	default:
		e.ok("disk space", "%s", said)
	}
}

// evidence tries the place where evidence is kept. A folder is tried like the data directory; a bucket gets one small blob that is
// taken away again.
func (e *examination) evidence(ctx context.Context) {
	const mend = "make the place of evidence.url and let this identity write to it, or leave evidence.url out"
	at := e.s.Config.Evidence.URL
	if at == "" {
		return // in the data directory, which was tried
	}
	u, err := url.Parse(at)
	switch {
	case err != nil:
		err = fmt.Errorf("evidence.url is not a URL")
	case u.Scheme == "file":
		err = writable(u.Path)
	default:
		err = within(ctx, func(ctx context.Context) error { return tryEvidence(ctx, at) })
	}
	e.judge("evidence", err, mend, "can be written to")
}

// tryEvidence keeps a small blob, reads it and takes it away.
func tryEvidence(ctx context.Context, at string) error {
	store, err := evidence.Open(ctx, at)
	if err != nil {
		return err
	}
	kept, err := store.Put(ctx, "doctor", "", "trial", "doctor", []byte("tourniquet doctor "+rand.Text()), time.Now())
	if err == nil {
		_, err = store.Get(ctx, kept.Digest)
	}
	if err == nil {
		err = store.Forget(ctx, kept.Digest)
	}
	return errors.Join(err, store.Close())
}

// role says whether this configuration fits the part of the house that is asked about, and whether it holds what belongs to another.
func (e *examination) role() {
	r := e.s.Role
	if r == roleAll {
		return
	}
	err := r.fits(e.s.Config)
	e.judge("role", err, "docs/operate.md tells what each half needs", string(r))
	signer := signerPath(e.s.Config)
	_, missing := os.Stat(signer)
	switch {
	case err != nil: // the rest would only repeat it
	case r == roleWorker:
		keys, err := seal.LoadPublic(e.s.Config.At(e.s.Config.Encryption.PublicKeys))
		e.judge("public keys", err, "make the file on the host of the API with: tourniquet encryption public", fmt.Sprintf("%d whose signatures count", len(keys)))
		if missing == nil {
			e.fault("signing key", fmt.Errorf("this worker can read the signing key %q, so whoever takes the worker can approve in anybody's name", signer),
				"take the file off this host, make a new key on the host of the API, and give workers its public half: tourniquet encryption rotate-signing")
		}
	case missing != nil:
		e.fault("signing key", fmt.Errorf("the signing key %q is missing, and the API signs with it what people decide", signer), "put it back, or make one: tourniquet encryption init")
	}
}
