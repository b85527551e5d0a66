package main

import (
	"context"
	"crypto/rand"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
	"github.com/tourniquet-ir/tourniquet/internal/seal"
)

// broken is a set-up that was good and is not any more: which check must name it, in which words, and with which mend.
type broken struct {
	check, want, mend string
	harm              func(t *testing.T, path string, stage *sandbox.Stage)
	more              []string // of the command line
}

func TestDoctorNamesEachFaultWithItsMendAndExitsOne(t *testing.T) {
	t.Parallel()
	for _, group := range []map[string]broken{brokenOutside(), brokenFiles(), brokenPeople(), brokenHalves()} {
		for name, c := range group {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				path, stage := staged(t)
				c.harm(t, path, stage)
				r, found := examined(t, path, nil, c.more...)
				f := found[c.check]
				if r.code != exitFailed || f.Status != foundFault || !strings.Contains(f.Detail, c.want) || f.Mend == "" || !strings.Contains(f.Mend, c.mend) {
					t.Errorf("exit %d, %s: %+v\n%s", r.code, c.check, f, r.out)
				}
			})
		}
	}
}

// beside is a file in the folder of a configuration.
func beside(config string, name ...string) string {
	return filepath.Join(append([]string{filepath.Dir(config)}, name...)...)
}

func brokenOutside() map[string]broken {
	const rights = "docs/permissions.md"
	return map[string]broken{
		"a channel that is not there": {"slack", "channel", "slack-manifest.yaml", func(t *testing.T, p string, _ *sandbox.Stage) {
			spoil(t, p, "  channel: C", "  channel: CX")
		}, nil},
		"a Slack token that was revoked": {"slack", "invalid_auth", "slack-manifest.yaml", func(t *testing.T, p string, _ *sandbox.Stage) {
			write(t, beside(p, "secrets", "slack-token"), "xoxb-"+random(t))
		}, nil},
		"a scope that was taken away": {"slack", "usergroups:read", "slack-manifest.yaml", func(_ *testing.T, _ string, s *sandbox.Stage) {
			s.Slack.RemoveScope("usergroups:read")
		}, nil},
		"a Slack of another workspace": {"slack", "workspace", "check the ids", func(t *testing.T, p string, _ *sandbox.Stage) {
			spoil(t, p, "teams: [T", "teams: [TX")
		}, nil},
		"a token that GitHub refuses": {"github", "401", rights, func(t *testing.T, p string, _ *sandbox.Stage) {
			write(t, beside(p, "secrets", "github-token"), random(t))
		}, nil},
		"a token that Google refuses": {"gemini demo", "", rights, func(t *testing.T, p string, _ *sandbox.Stage) {
			write(t, beside(p, "secrets", "provider-admin"), random(t))
		}, nil},
		"a cluster that does not answer": {"workflow engine", "Temporal cluster", "temporal.address", func(t *testing.T, p string, _ *sandbox.Stage) {
			if _, err := seal.LoadOrCreate(beside(p, "ring.json"), rand.Reader); err != nil {
				t.Fatal(err)
			}
			spoil(t, p, "sources:", "temporal: { mode: external, address: \""+nobody(t)+"\" }\nencryption: { key_ring: ring.json }\nsources:")
		}, nil},
		"a PostgreSQL that is down": {"database", "", "database.url", func(t *testing.T, p string, _ *sandbox.Stage) {
			ringOf(t, p)
			write(t, beside(p, "secrets", "database"), "postgres://tourniquet:"+random(t)+"@"+nobody(t)+"/tourniquet?connect_timeout=2")
			spoil(t, p, "sources:", "database: { driver: postgres, url: \"file://"+filepath.ToSlash(beside(p, "secrets", "database"))+"\" }\nsources:")
		}, nil},
		"evidence that cannot be kept": {"evidence", "not a folder", "evidence.url", func(t *testing.T, p string, _ *sandbox.Stage) {
			write(t, beside(p, "vault"), "x")
			spoil(t, p, "sources:", "evidence: { url: \"file://"+filepath.ToSlash(beside(p, "vault"))+"\" }\nsources:")
		}, nil},
		"evidence in a bucket of an unknown kind": {"evidence", "cannot be opened", "evidence.url", func(t *testing.T, p string, _ *sandbox.Stage) {
			spoil(t, p, "sources:", "evidence: { url: \"nowhere://bucket\" }\nsources:")
		}, nil},
		"an evidence bucket that refuses us": {"evidence", "cannot be kept", "let this identity write", func(t *testing.T, p string, _ *sandbox.Stage) {
			door := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }))
			t.Cleanup(door.Close)
			spoil(t, p, "sources:", "evidence: { url: \"s3://evidence?region=eu-central-1&anonymous=true&use_path_style=true&endpoint="+door.URL+"\" }\nsources:")
		}, nil},
		"a port that is taken": {"listen", "not free", "server.listen", func(t *testing.T, p string, _ *sandbox.Stage) {
			body, err := os.ReadFile(p)
			if err != nil {
				t.Fatal(err)
			}
			_, rest, _ := strings.Cut(string(body), "listen: \"")
			at, _, _ := strings.Cut(rest, "\"")
			l, err := net.Listen("tcp", at)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = l.Close() })
		}, nil},
	}
}

// ringOf makes the ring of the data directory.
func ringOf(t *testing.T, p string) *seal.Ring {
	t.Helper()
	if err := os.MkdirAll(beside(p, "data"), 0o700); err != nil {
		t.Fatal(err)
	}
	ring, err := seal.LoadOrCreate(beside(p, "data", "keyring.json"), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

// nobody is an address where nobody listens.
func nobody(t *testing.T) string {
	t.Helper()
	at, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func brokenFiles() map[string]broken {
	return map[string]broken{
		"a secret that is missing": {"secret github.token", "cannot be read", "set it where tourniquet runs", func(t *testing.T, p string, _ *sandbox.Stage) {
			if err := os.Remove(beside(p, "secrets", "github-token")); err != nil {
				t.Fatal(err)
			}
		}, nil},
		"a webhook secret that is short": {"source github", "16", "sources.github", func(t *testing.T, p string, _ *sandbox.Stage) {
			write(t, beside(p, "secrets", "github-hook"), "short")
		}, nil},
		"a source that nobody knows": {"source gitlab", "no source", "tourniquet source list", func(t *testing.T, p string, _ *sandbox.Stage) {
			spoil(t, p, "sources:\n  github:", "sources:\n  gitlab:")
		}, nil},
		"a playbook folder that is not there": {"playbooks", "no folder", "playbook lint", func(t *testing.T, p string, _ *sandbox.Stage) {
			spoil(t, p, "inventory:", "playbooks: { dir: gone }\ninventory:")
		}, nil},
		"a broken playbook": {"playbooks", "key.obliterate", "playbook lint", func(t *testing.T, p string, _ *sandbox.Stage) {
			if err := os.Mkdir(beside(p, "own"), 0o700); err != nil {
				t.Fatal(err)
			}
			write(t, beside(p, "own", "bad.yaml"), "schema: tourniquet/v1\nid: bad\ntitle: Bad\nowner: secops\ntrigger:\n  if: 'true'\nsteps:\n  - id: a\n    uses: key.obliterate\n")
			spoil(t, p, "inventory:", "playbooks: { dir: own }\ninventory:")
		}, nil},
		"an unknown word in the inventory": {"inventory", "colour", "at the places named", func(t *testing.T, p string, _ *sandbox.Stage) {
			write(t, beside(p, "inventory.yaml"), "colour: red\n")
		}, nil},
		"a file in place of the data": {"data directory", "not a folder", "server.data_dir", func(t *testing.T, p string, _ *sandbox.Stage) {
			write(t, beside(p, "data"), "x")
		}, nil},
		"a lost key ring": {"key ring", "missing", "backup", func(t *testing.T, p string, _ *sandbox.Stage) {
			if err := os.Mkdir(beside(p, "data"), 0o700); err != nil {
				t.Fatal(err)
			}
			write(t, beside(p, "data", "tourniquet.db"), "")
		}, nil},
		"a key ring that is another's": {"database", "ring", "together with its key ring", func(t *testing.T, p string, _ *sandbox.Stage) {
			first := ringOf(t, p)
			db, err := database.Open(context.Background(), beside(p, "data", "tourniquet.db"), first.Box())
			if err != nil {
				t.Fatal(err)
			}
			if err := db.CheckRing(context.Background()); err != nil {
				t.Fatal(err)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			if err := os.Remove(beside(p, "data", "keyring.json")); err != nil {
				t.Fatal(err)
			}
			ringOf(t, p)
		}, nil},
		"a configuration with a fault": {"configuration", "yolo", "tourniquet.example.yaml", func(t *testing.T, p string, _ *sandbox.Stage) {
			spoil(t, p, "mode: enforce", "mode: yolo")
		}, nil},
	}
}

func brokenPeople() map[string]broken {
	return map[string]broken{
		"a group without known people": {"group secops", "nobody", "with their Slack ids", func(t *testing.T, p string, _ *sandbox.Stage) {
			spoil(t, p, "slack: U0ANA", "slack: U0XXA")
			spoil(t, p, "slack: U0BO", "slack: U0XXB")
		}, nil},
		"a user group that was deleted": {"group secops", "S0GONE", "with their Slack ids", func(t *testing.T, p string, _ *sandbox.Stage) {
			spoil(t, p, "S0SECOPS", "S0GONE")
		}, nil},
		"fewer approvers than the policy asks for": {"policy", "needs 2", "add people or ask for fewer", func(_ *testing.T, _ string, s *sandbox.Stage) {
			s.Slack.SetGroup("S0SECOPS", sandbox.UserAna)
		}, nil},
		"two people with one Slack id": {"people", "one human is one person", "correct people", func(t *testing.T, p string, _ *sandbox.Stage) {
			spoil(t, p, "slack: U0BO", "slack: U0ANA")
		}, nil},
	}
}

// halved makes a configuration that several processes share, except for what is missing.
func halved(t *testing.T, p string, encryption string) {
	t.Helper()
	write(t, beside(p, "secrets", "database"), "postgres://tourniquet:"+random(t)+"@"+nobody(t)+"/tourniquet?connect_timeout=2")
	spoil(t, p, "sources:", "temporal: { mode: external, address: \""+nobody(t)+"\" }\ndatabase: { driver: postgres, url: \"file://"+filepath.ToSlash(beside(p, "secrets", "database"))+
		"\" }\nevidence: { url: \"file://"+filepath.ToSlash(beside(p, "evidence"))+"\" }\nencryption: { "+encryption+" }\nsources:")
}

func brokenHalves() map[string]broken {
	return map[string]broken{
		"a half of a house that shares nothing": {"role", "temporal.mode: external", "docs/operate.md", func(*testing.T, string, *sandbox.Stage) {}, []string{"--role", "worker"}},
		"a worker without public keys": {"role", "encryption.public_keys", "docs/operate.md", func(t *testing.T, p string, _ *sandbox.Stage) {
			halved(t, p, "key_ring: ring.json")
		}, []string{"--role", "worker"}},
		"a worker whose public keys are lost": {"public keys", "public keys", "tourniquet encryption public", func(t *testing.T, p string, _ *sandbox.Stage) {
			halved(t, p, "key_ring: ring.json, public_keys: gone.json")
		}, []string{"--role", "worker"}},
		"a worker that can sign": {"signing key", "approve in anybody's name", "off this host", func(t *testing.T, p string, _ *sandbox.Stage) {
			halved(t, p, "key_ring: ring.json, signing_key: signing.json, public_keys: gone.json")
			if _, err := seal.LoadOrCreateSigner(beside(p, "signing.json")); err != nil {
				t.Fatal(err)
			}
		}, []string{"--role", "worker"}},
		"an API that cannot sign": {"signing key", "signs with it", "encryption init", func(t *testing.T, p string, _ *sandbox.Stage) {
			halved(t, p, "key_ring: ring.json")
		}, []string{"--role", "api"}},
	}
}

func TestDoctorOfAWorkerDoesNotMissWhatBelongsToTheDoors(t *testing.T) {
	t.Parallel()
	path, _ := staged(t)
	halved(t, path, "key_ring: ring.json, public_keys: gone.json")
	if err := os.Remove(beside(path, "secrets", "github-hook")); err != nil {
		t.Fatal(err)
	}
	_, found := examined(t, path, nil, "--role", "worker")
	if f := found["secret sources.github.secret"]; f.Status != "" || found["source github"].Status != "" {
		t.Errorf("a worker was to have %+v", f)
	}
	if _, found = examined(t, path, nil, "--role", "api"); found["secret sources.github.secret"].Status != foundFault {
		t.Errorf("an API without the secret of its door: %+v", found)
	}
}
