package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/engine"
	"github.com/tourniquet-ir/tourniquet/internal/seal"
)

// sources checks that what is configured is known and has a proof that will be accepted.
func (e *examination) sources() {
	c := e.s.Config
	for _, name := range slices.Sorted(maps.Keys(c.Sources)) {
		check := "source " + name
		_, format, err := sourceOf(c, name)
		if err != nil {
			e.fault(check, err, "see: tourniquet source list")
			continue
		}
		if _, err := c.Sources[name].Secret.Resolve(e.s.Env); err != nil {
			continue // said among the secrets
		}
		if _, err := c.Sources[name].Token.Resolve(e.s.Env); err != nil {
			continue
		}
		_, err = proofOf(e.s, name, format, nil)
		e.judge(check, err, "mend sources."+name+"; a secret has at least 16 bytes, and the sender the same one", "trust "+c.Sources[name].Trust)
	}
	if len(c.Sources) == 0 {
		e.note("sources", "add one under sources; see: tourniquet source list", "no source is configured, so no alert can arrive")
	}
}

// records looks at our own files. The ring comes back when it can be read.
func (e *examination) records(ctx context.Context) *seal.Ring {
	dir := dataDir(e.s.Config)
	if err := writable(dir); err != nil {
		e.fault("data directory", err, "make the folder writable for the user that runs tourniquet, or set server.data_dir")
		return nil
	}
	e.room(dir)
	e.evidence(ctx)
	ring := e.keys()
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		e.ok("data directory", "%s will be made at the first start", dir)
		e.port(ctx)
		return ring
	}
	lock, err := engine.LockDir(dir)
	if err != nil {
		e.note("data directory", "", "%s", err)
		e.running(ctx)
		return ring
	}
	e.ok("data directory", "%s is writable and free", dir)
	e.port(ctx)
	if ring != nil {
		e.database(ctx, ring)
	}
	if err := lock.Release(); err != nil {
		e.fault("data directory", err, "look at the file system under it")
	}
	return ring
}

// writable tries the folder, or the nearest one above it that exists.
func writable(dir string) error {
	for {
		info, err := os.Stat(dir)
		if errors.Is(err, fs.ErrNotExist) && filepath.Dir(dir) != dir {
			dir = filepath.Dir(dir)
			continue
		}
		if err == nil && !info.IsDir() {
			return fmt.Errorf("%q is not a folder", dir)
		}
		f, err := os.CreateTemp(dir, ".doctor-*")
		if err != nil {
			return fmt.Errorf("the folder %q cannot be written to: %w", dir, errors.Unwrap(err))
		}
		return errors.Join(f.Close(), os.Remove(f.Name()))
	}
}

// keys reads the key files and makes none: which ring a database is sealed with is decided at the first start.
func (e *examination) keys() *seal.Ring {
	const mend = "put the key file back from its backup; without it nothing that is sealed can be read"
	if _, err := os.Stat(signerPath(e.s.Config)); err == nil && e.s.Role != roleWorker { // a worker's was judged with its role
		s, err := seal.LoadOrCreateSigner(signerPath(e.s.Config))
		if err != nil {
			e.fault("signing key", err, mend)
		} else {
			e.ok("signing key", "%s", s.ID)
		}
	}
	path := ringPath(e.s.Config)
	_, err := os.Stat(path)
	_, used := os.Stat(filepath.Join(dataDir(e.s.Config), "tourniquet.db"))
	switch {
	case errors.Is(err, fs.ErrNotExist) && used == nil:
		e.fault("key ring", fmt.Errorf("the key ring %q is missing, but there is a database that was sealed with it", path), mend)
		return nil
	case errors.Is(err, fs.ErrNotExist) && e.s.Config.Temporal.Mode == "external":
		e.fault("key ring", fmt.Errorf("the key ring %q is missing", path), "every process must share one ring: copy it here from the process that made it")
		return nil
	case errors.Is(err, fs.ErrNotExist):
		e.ok("key ring", "%s will be made at the first start; back it up then", path)
		return nil
	}
	ring, err := seal.Load(path)
	if err != nil {
		e.fault("key ring", err, mend)
		return nil
	}
	e.ok("key ring", "%s", ring)
	return ring
}

// database opens it as serve would; only while nobody else does.
func (e *examination) database(ctx context.Context, ring *seal.Ring) {
	if e.s.Config.Database.Driver == "postgres" {
		e.postgres(ctx, ring)
		return
	}
	path := filepath.Join(dataDir(e.s.Config), "tourniquet.db")
	if _, err := os.Stat(path); err != nil {
		e.ok("database", "%s will be made at the first start", path)
		return
	}
	err := within(ctx, func(ctx context.Context) error {
		db, err := database.Open(ctx, path, ring.Box())
		if err != nil {
			return err
		}
		if err := db.CheckRing(ctx); err != nil {
			return errors.Join(err, db.Close())
		}
		e.watchRecords(ctx, db)
		return db.Close()
	})
	e.judge("database", err, "restore the database together with its key ring, or look at the disk", path)
}

// postgres looks without changing anything; other processes may be using it.
func (e *examination) postgres(ctx context.Context, ring *seal.Ring) {
	found := ""
	at, err := databaseAt(e.s)
	if err == nil {
		err = within(ctx, func(ctx context.Context) (err error) {
			found, err = database.Examine(ctx, at, ring.Box())
			return err
		})
	}
	e.judge("database", err, "check database.url, the account and its rights (docs/operate.md), and that the key ring is the database's own", found)
}

// port checks that serve could listen.
func (e *examination) port(ctx context.Context) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", e.s.Config.Server.Listen)
	if err == nil {
		err = l.Close()
	} else {
		err = fmt.Errorf("%s is not free: %w", e.s.Config.Server.Listen, err)
	}
	e.judge("listen", err, "stop what listens there, or set server.listen", e.s.Config.Server.Listen+" is free")
}

// running asks the serve that holds the directory.
func (e *examination) running(ctx context.Context) {
	base := e.sh.Server
	if base == "" {
		base = "http://" + e.s.Config.Server.Listen
	}
	err := within(ctx, func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(base, "/")+"/readyz", nil)
		if err != nil {
			return fmt.Errorf("%q is not an address", base)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			return &unreachable{base, err}
		}
		defer func() { _ = res.Body.Close() }()
		body, _ := io.ReadAll(io.LimitReader(res.Body, maxProblem)) // only words for people
		if res.StatusCode != http.StatusOK {
			return fmt.Errorf("the running serve is not ready: %s", strings.TrimSpace(string(body)))
		}
		return nil
	})
	e.judge("running serve", err, "look at the log of the running serve; the database is its own while it runs", base+" is ready; its database was not opened a second time")
	if err == nil {
		e.delivery(ctx, base)
		e.watching(ctx, base)
	}
}

// engine reaches a Temporal cluster that somebody else runs; our own starts with serve.
func (e *examination) engine(ctx context.Context, ring *seal.Ring) {
	if e.s.Config.Temporal.Mode != "external" {
		e.ok("workflow engine", "embedded: it starts with serve")
		return
	}
	if ring == nil {
		e.note("workflow engine", "", "not tried: it needs the key ring")
		return
	}
	cfg, err := clusterConfig(e.s, ring)
	if err == nil {
		err = within(ctx, func(ctx context.Context) error {
			eng, err := engine.Start(ctx, cfg)
			if err != nil {
				return err
			}
			return eng.Close()
		})
	}
	e.judge("workflow engine", err, "check temporal.address, namespace, tls and api_key", "the namespace answers at "+e.s.Config.Temporal.Address)
}

// clusterConfig is how an external cluster is reached; it says the same as startEngine.
func clusterConfig(s settings, ring *seal.Ring) (engine.Config, error) {
	t := s.Config.Temporal
	key, err := t.APIKey.Resolve(s.Env)
	if err != nil {
		return engine.Config{}, fmt.Errorf("temporal.api_key: %w", err)
	}
	cfg := engine.Config{
		Namespace: t.Namespace, DataConverter: seal.DataConverter(ring), FailureConverter: seal.FailureConverter(ring),
		External: &engine.External{Address: t.Address, Namespace: t.Namespace, APIKey: key},
	}
	if t.TLS != nil {
		cfg.External.TLS = &engine.TLSFiles{Cert: s.Config.At(t.TLS.Cert), Key: s.Config.At(t.TLS.Key), CA: s.Config.At(t.TLS.CA), ServerName: t.TLS.ServerName}
	}
	return cfg, nil
}
