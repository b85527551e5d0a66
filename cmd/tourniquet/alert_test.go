package main

import (
	"crypto/rand"
	"encoding/json"
	"maps"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/integrations/sources"
	"github.com/tourniquet-ir/tourniquet/internal/config"
	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/intake"
	"github.com/tourniquet-ir/tourniquet/internal/seal"
)

// doorway is the real door of alerts with a configuration that speaks to it.
type doorway struct {
	db  *database.DB
	env map[string]string
}

func openDoor(t *testing.T) doorway {
	t.Helper()
	dir := t.TempDir()
	ring, err := seal.LoadOrCreate(filepath.Join(dir, "keyring.json"), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	db, err := database.Open(t.Context(), filepath.Join(dir, "tourniquet.db"), ring.Box())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	env := map[string]string{"HOOK": random(t), "BEARER": random(t)}
	file := filepath.Join(dir, "tourniquet.yaml")
	text := "sources:\n"
	for _, name := range sourceNames() {
		proof := "token: \"env://BEARER\""
		if sources.SchemeOf(name).Header != sources.GenericSignature {
			proof = "secret: \"env://HOOK\""
		}
		text += "  " + name + ": { trust: act, " + proof + " }\n"
	}
	write(t, file, text)
	c, err := config.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	look := func(name string) (string, bool) { v, ok := env[name]; return v, ok }
	o := intake.Options{Store: db, Box: ring.Box(), Now: time.Now, Reader: readers{db}, Sources: map[string]intake.Configured{}}
	for name := range c.Sources {
		src, format, err := sourceOf(c, name)
		if err != nil {
			t.Fatal(err)
		}
		auth, err := proofOf(settings{Config: c, Env: config.Places{Env: look}}, name, format, nil)
		if err != nil {
			t.Fatal(err)
		}
		o.Sources[name] = intake.Configured{Source: src, Auth: auth, Trust: incident.TrustAct}
	}
	h, err := intake.New(o)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	mine := newToken()
	if err := db.PutToken(t.Context(), "ana", tokenHash(mine), "bo"); err != nil {
		t.Fatal(err)
	}
	sent := maps.Clone(env) // the caller may spoil what it sends, not what the door expects
	sent["TOURNIQUET_CONFIG"], sent["TOURNIQUET_SERVER"], sent["TOURNIQUET_TOKEN"] = file, srv.URL, mine
	return doorway{db, sent}
}

// example writes the example of a source's card into a file.
func example(t *testing.T, name string) string {
	t.Helper()
	s, err := sourceNamed(name)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), name+".json")
	write(t, path, string(s.Describe().Example))
	return path
}

func sentBy(t *testing.T, r ran) sentAlert {
	t.Helper()
	var a sentAlert
	if err := json.Unmarshal([]byte(r.out), &a); r.code != exitGood || err != nil {
		t.Fatalf("exit %d (%v): %s%s", r.code, err, r.out, r.talk)
	}
	return a
}

func TestTheExampleOfEverySourceIsTakenAsThatSourceWouldSendIt(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	for _, name := range sourceNames() {
		first := sentBy(t, command(t, d.env, "alert", "send", "--source", name, example(t, name), "-o", "json"))
		if first.Status != "accepted" || first.AlertID == "" {
			t.Errorf("%s: %+v", name, first)
		}
		again := sentBy(t, command(t, d.env, "alert", "send", "--source", name, example(t, name), "-o", "json"))
		if again.Status != "duplicate" || again.AlertID != first.AlertID {
			t.Errorf("%s again: %+v", name, again)
		}
	}
}

func TestWaitingTellsTheFateOrThatItIsNotKnownYet(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	file := example(t, "generic")
	r := command(t, d.env, "alert", "send", "--source", "generic", file, "--wait", "--wait-for", "1ms")
	if r.code != exitWaiting || !strings.Contains(r.out, "accepted") {
		t.Errorf("exit %d: %s%s", r.code, r.out, r.talk)
	}
	a := sentBy(t, command(t, d.env, "alert", "send", "--source", "generic", file, "-o", "json"))
	if err := d.db.SetFate(t.Context(), a.AlertID, incident.FateRecorded, "no playbook matches", ""); err != nil {
		t.Fatal(err)
	}
	a = sentBy(t, command(t, d.env, "alert", "send", "--source", "generic", file, "--wait", "-o", "json"))
	if a.Fate != incident.FateRecorded || a.Reason != "no playbook matches" {
		t.Errorf("%+v", a)
	}
	delete(d.env, "TOURNIQUET_TOKEN")
	if r := command(t, d.env, "alert", "send", "--source", "generic", file, "--wait"); r.code != exitNoAuth {
		t.Errorf("without a token: exit %d: %s", r.code, r.talk)
	}
}

func TestAWrongProofIsNotAuthenticatedAndTheSecretIsNotPrinted(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	d.env["HOOK"] = random(t)
	r := command(t, d.env, "alert", "send", "--source", "github", example(t, "github"))
	if r.code != exitNoAuth || strings.Contains(r.out+r.talk, d.env["HOOK"]) {
		t.Errorf("exit %d: %s%s", r.code, r.out, r.talk)
	}
}

func TestAnEventThatSaysNothingAboutAKeyIsIgnoredInWords(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	r := command(t, d.env, "alert", "send", "--source", "github", "--event", "ping", example(t, "github"))
	if r.code != exitGood || !strings.Contains(r.out, "ignored: the connection works") {
		t.Errorf("exit %d: %s%s", r.code, r.out, r.talk)
	}
}

func TestAlertSendRefusesWhatItCannotSend(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	empty := filepath.Join(t.TempDir(), "empty.json")
	write(t, empty, " \n")
	for want, args := range map[string][]string{
		"formats: github, ": {"--source", "gitlab", empty},
		"is empty":          {"--source", "github", empty},
		"cannot be read":    {"--source", "github", empty + ".gone"},
		"takes one file":    {"--source", "github"},
	} {
		r := command(t, d.env, append([]string{"alert", "send"}, args...)...)
		if r.code != exitMisuse || !strings.Contains(r.talk, want) {
			t.Errorf("%q: exit %d: %s", want, r.code, r.talk)
		}
	}
	write(t, d.env["TOURNIQUET_CONFIG"], "mode: observe\n")
	if r := command(t, d.env, "alert", "send", "--source", "github", example(t, "github")); r.code != exitMisuse || !strings.Contains(r.talk, "not configured") {
		t.Errorf("exit %d: %s", r.code, r.talk)
	}
}

func TestAPersonalTokenIsShownOnceAndKeptAsAHash(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if r := command(t, nil, fullInit(dir)...); r.code != exitGood {
		t.Fatal(r.talk)
	}
	env := map[string]string{"TOURNIQUET_CONFIG": filepath.Join(dir, "tourniquet.yaml")}
	r := command(t, env, "person", "token", "--for", "ana", "--issued-by", "bo")
	token := strings.TrimSpace(r.out)
	if r.code != exitGood || len(token) < 40 || strings.Contains(r.talk, token) {
		t.Fatalf("exit %d: %s", r.code, r.talk)
	}
	c, err := config.Load(env["TOURNIQUET_CONFIG"])
	if err != nil {
		t.Fatal(err)
	}
	ring, err := seal.Load(ringPath(c))
	if err != nil {
		t.Fatal(err)
	}
	db, err := database.Open(t.Context(), filepath.Join(dataDir(c), "tourniquet.db"), ring.Box())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if who, ok, err := db.PersonByToken(t.Context(), tokenHash(token)); who != "ana" || !ok || err != nil {
		t.Errorf("the token is of %q (%v, %v)", who, ok, err)
	}
	err = filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		body, err := os.ReadFile(path)
		if strings.Contains(string(body), token) {
			t.Errorf("%s holds the token itself", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	for want, who := range map[string][2]string{"themselves": {"ana", "ana"}, "not listed": {"ana", "mallory"}, "say whom": {"ana", ""}} {
		if r := command(t, env, "person", "token", "--for", who[0], "--issued-by", who[1]); r.code != exitMisuse || r.out != "" || !strings.Contains(r.talk, want) {
			t.Errorf("%q: exit %d: %s%s", want, r.code, r.out, r.talk)
		}
	}
}
