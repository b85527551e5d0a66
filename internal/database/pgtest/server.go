package pgtest

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tourniquet-ir/tourniquet/internal/freeport"
)

const readyWithin = time.Minute

// Server is a running PostgreSQL.
type Server struct {
	dir, password string
	bin           string
	port          int
	as            *syscall.Credential // PostgreSQL refuses root
	settings      []string
	cmd           *exec.Cmd
	log           *bytes.Buffer
	made          atomic.Int64
}

// Start makes a server that answers. Settings are as in postgresql.conf, "fsync=on" for example; without one it does not wait
// for disks. Stop it.
func Start(ctx context.Context, settings ...string) (*Server, error) {
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	s := &Server{bin: bin, password: rand.Text(), settings: append([]string{"fsync=off"}, settings...)}
	if s.dir, err = os.MkdirTemp("", "pg"); err != nil {
		return nil, err
	}
	if err = s.init(ctx); err == nil {
		err = s.Up(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

// binaries finds the folder of the server's programs, which Debian does not put into the path.
func binaries() (string, error) {
	if at, err := exec.LookPath("initdb"); err == nil {
		if at, err = filepath.EvalSymlinks(at); err == nil {
			return filepath.Dir(at), nil
		}
	}
	all, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb") // the pattern is well formed
	if len(all) == 0 {
		return "", errors.New("PostgreSQL is not installed; run test/setup.sh, or: apt-get install postgresql")
	}
	return filepath.Dir(all[len(all)-1]), nil
}

// init makes the files of the server, owned by whom it runs as.
func (s *Server) init(ctx context.Context) error {
	if os.Getuid() == 0 {
		u, err := user.Lookup("postgres")
		if err != nil {
			if u, err = user.Lookup("nobody"); err != nil {
				return err
			}
		}
		uid, _ := strconv.ParseUint(u.Uid, 10, 32) // numbers on every system that has root
		gid, _ := strconv.ParseUint(u.Gid, 10, 32)
		s.as = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		if err := os.Chown(s.dir, int(uid), int(gid)); err != nil {
			return err
		}
	}
	secret := filepath.Join(s.dir, "password")
	if err := os.WriteFile(secret, []byte(s.password), 0o600); err != nil {
		return err
	}
	if s.as != nil {
		if err := os.Chown(secret, int(s.as.Uid), int(s.as.Gid)); err != nil {
			return err
		}
	}
	out, err := s.command(ctx, "initdb", "-D", s.data(), "-U", "test", "--pwfile", secret, "-A", "scram-sha-256", "-E", "UTF8", "--locale=C.UTF-8", "-N").CombinedOutput()
	if err != nil {
		return fmt.Errorf("initdb: %w: %s", err, out)
	}
	return nil
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

func (s *Server) command(ctx context.Context, program string, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, filepath.Join(s.bin, program), args...)
	c.Dir = s.dir
	c.SysProcAttr = &syscall.SysProcAttr{Credential: s.as, Pdeathsig: syscall.SIGQUIT}
	return c
}

// Up starts the server, after Start or after Kill, on the same port.
func (s *Server) Up(ctx context.Context) error {
	if s.port == 0 {
		address, err := freeport.Free()
		if err != nil {
			return err
		}
		at, err := net.ResolveTCPAddr("tcp", address)
		if err != nil {
			return err
		}
		s.port = at.Port
	}
	args := []string{"-D", s.data(), "-k", s.dir, "-h", "127.0.0.1", "-p", strconv.Itoa(s.port)}
	for _, v := range append([]string{"max_connections=200", "shared_buffers=32MB"}, s.settings...) {
		args = append(args, "-c", v)
	}
	s.log = &bytes.Buffer{}
	s.cmd = s.command(context.WithoutCancel(ctx), "postgres", args...)
	s.cmd.Stdout, s.cmd.Stderr = s.log, s.log
	if err := s.cmd.Start(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	for {
		c, err := pgx.Connect(ctx, s.URL("postgres"))
		if err == nil {
			return c.Close(ctx)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("PostgreSQL does not answer: %w: %s", err, s.log)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// URL is the address of one of its databases.
func (s *Server) URL(database string) string {
	u := url.URL{Scheme: "postgres", User: url.UserPassword("test", s.password), Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)), Path: "/" + database, RawQuery: "sslmode=disable"}
	return u.String()
}

// Host and Port are where it listens; User and Password let in.
func (s *Server) Host() string     { return "127.0.0.1" }
func (s *Server) Port() int        { return s.port }
func (s *Server) User() string     { return "test" }
func (s *Server) Password() string { return s.password }

// Pid is the process that started all others of the server.
func (s *Server) Pid() int { return s.cmd.Process.Pid }

// Tool is the path of one of the server's own programs, pg_dump for example.
func (s *Server) Tool(name string) string { return filepath.Join(s.bin, name) }

// Database makes a fresh database and gives its address; from is the name of one to copy, or empty.
func (s *Server) Database(ctx context.Context, from string) (string, error) {
	c, err := pgx.Connect(ctx, s.URL("postgres"))
	if err != nil {
		return "", err
	}
	defer func() { _ = c.Close(context.WithoutCancel(ctx)) }()
	name := fmt.Sprint("t", s.made.Add(1))
	create := "CREATE DATABASE " + name
	if from != "" {
		create += " TEMPLATE " + pgx.Identifier{from}.Sanitize()
	}
	_, err = c.Exec(ctx, create)
	return s.URL(name), err
}

// Kill ends the server at once, as a power cut would; Up brings it back.
func (s *Server) Kill() error { return s.end(syscall.SIGQUIT) }

// Stop ends the server and removes its files.
func (s *Server) Stop() error { return errors.Join(s.end(syscall.SIGINT), os.RemoveAll(s.dir)) }

func (s *Server) end(by syscall.Signal) error {
	if s.cmd == nil || s.cmd.Process == nil {
		return nil
	}
	err := s.cmd.Process.Signal(by)
	_ = s.cmd.Wait() // how it ended is no news: we ended it
	s.cmd = nil
	if errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("PostgreSQL had ended by itself: %s", strings.TrimSpace(s.log.String()))
	}
	return err
}
