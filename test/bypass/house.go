package main

import (
	"bytes"
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/log"
	_ "modernc.org/sqlite" // registers the driver "sqlite"

	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
	"github.com/tourniquet-ir/tourniquet/internal/seal"
)

//go:embed playbooks/*.yaml
var playbookFiles embed.FS

// house is the world, the product in it, and what the attackers know.
type house struct {
	*sandbox.Stage
	program, dir, url string
	serve             *exec.Cmd
	said              *talk
	ended             chan struct{}
	tokens            map[string]string
	ring              client.Client // a client with access to the namespace that also holds the key ring
	raw               client.Client // one that holds no keys
	converter         converter.DataConverter
	failure           converter.FailureConverter
	db                *sql.DB
	spare             []sandbox.Key // keys that no attempt has used
	wants
	quick []time.Duration
}

// wants is how a house is to be.
type wants struct {
	keys      int           // to attack
	useWithin time.Duration // of approvals
	rooms     bool          // each incident has a channel of its own, so that every card has two copies
	env       []string      // of serve
}

// The people of the house. All but lee and the stranger are members of the Slack user group that decides.
const (
	userStranger = "U0NOBODY" // in the workspace, not listed under people
	userSam      = "U0SAM"    // starts every run by hand
	userCy       = "U0CY"
	userGus      = "U0GUS" // a guest
	userFay      = "U0FAY" // of another workspace
	userRob      = "U0ROB" // a bot
	userDel      = "U0DEL" // deactivated
	userGroup    = "S0SECOPS"
)

// deciders may approve what the rules of the house ask of two of secops.
func deciders() []string { return []string{"ana", "bo", "cy"} }

func slackOf(person string) string { return "U0" + strings.ToUpper(person) }

// members is the user group as it should be.
func members() []string {
	return []string{sandbox.UserAna, sandbox.UserBo, userCy, sandbox.UserKim, userSam, userGus, userFay, userRob, userDel}
}

// openHouse sets the world up and starts serve in it. The caller closes it.
func openHouse(ctx context.Context, program string, w wants) (*house, error) {
	s, err := sandbox.NewStage(sandbox.Options{RevocationDelay: -1})
	if err != nil {
		return nil, err
	}
	h := &house{Stage: s, program: program, wants: w, tokens: map[string]string{}}
	if h.dir, err = os.MkdirTemp("", "bypass-"); err != nil {
		return nil, err
	}
	for _, p := range []sandbox.SlackPerson{
		{ID: userStranger, Name: "Nobody"}, {ID: userSam, Name: "Sam"}, {ID: userCy, Name: "Cy"}, {ID: userGus, Name: "Gus", Guest: true},
		{ID: userFay, Name: "Fay", Team: "T0ELSEWHERE"}, {ID: userRob, Name: "Rob", Bot: true}, {ID: userDel, Name: "Del", Deleted: true},
	} {
		s.Slack.AddPerson(p)
	}
	s.Slack.SetGroup(userGroup, members()...)
	s.Slack.AddScope("channels:manage")
	for n := range w.keys {
		h.spare = append(h.spare, s.World.NewGeminiKey(sandbox.GeminiKey{Project: "demo-shop", Name: fmt.Sprintf("key %d", n), APITargets: []string{"generativelanguage.googleapis.com"}}))
	}
	err = h.write()
	if err == nil {
		err = h.start(ctx)
	}
	if err == nil {
		err = h.signIn(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, h.close())
	}
	return h, nil
}

func (h *house) close() error {
	var faults []error
	if h.serve != nil {
		faults = append(faults, h.kill9())
	}
	if h.ring != nil {
		h.ring.Close()
		h.raw.Close()
	}
	if h.db != nil {
		faults = append(faults, h.db.Close())
	}
	h.Close()
	return errors.Join(append(faults, os.RemoveAll(h.dir))...)
}

// write makes the folder that an operator would have: configuration, inventory, playbooks and secrets.
func (h *house) write() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	listen := l.Addr().String()
	if err := l.Close(); err != nil {
		return err
	}
	h.url = "http://" + listen
	path, err := h.Write(h.dir, listen) // with its secrets; the rest is written anew below
	if err != nil {
		return err
	}
	stage, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	text, err := h.config(listen, string(stage))
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(h.dir, "secrets", "generic"), []byte(genericSecret), 0o600); err != nil {
		return err
	}
	if err := os.Mkdir(filepath.Join(h.dir, "playbooks"), 0o700); err != nil {
		return err
	}
	entries, err := playbookFiles.ReadDir("playbooks")
	if err != nil {
		return err
	}
	for _, e := range entries {
		body, err := playbookFiles.ReadFile("playbooks/" + e.Name())
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(h.dir, "playbooks", e.Name()), body, 0o600); err != nil {
			return err
		}
	}
	h.Slack.Deliver(h.url+"/v1/slack/interactions", h.url+"/v1/slack/commands")
	return errors.Join(os.WriteFile(path, []byte(text), 0o600),
		os.WriteFile(filepath.Join(h.dir, "inventory.yaml"), []byte(h.inventory()), 0o600))
}

var engineAt = regexp.MustCompile(`the workflow engine is ready" address=(\S+)`)

// start runs serve until it says that it is ready, and connects as somebody who has found its workflow engine.
func (h *house) start(ctx context.Context) error {
	h.said, h.ended = &talk{}, make(chan struct{})
	h.serve = exec.Command(h.program, "serve", "--config", filepath.Join(h.dir, "tourniquet.yaml")) //nolint:noctx // it outlives the context of its start
	h.serve.Env = append(append(os.Environ(), "TOURNIQUET_LOG=debug"), h.env...)
	h.serve.Stdout, h.serve.Stderr = h.said, h.said
	if err := h.serve.Start(); err != nil {
		return err
	}
	go func(cmd *exec.Cmd, ended chan struct{}) {
		_ = cmd.Wait() // how it ended is in what it said
		close(ended)
	}(h.serve, h.ended)
	err := until(ctx, 60*time.Second, func() error {
		select {
		case <-h.ended:
			return final(fmt.Errorf("serve ended:\n%s", h.said))
		default:
		}
		if !strings.Contains(h.said.String(), "tourniquet is ready at") || h.Slack.Sockets() == 0 {
			return errors.New("serve does not say that it is ready, or its socket is not connected")
		}
		return nil
	})
	if err != nil {
		return err
	}
	return h.connect()
}

func (h *house) connect() error {
	at := engineAt.FindStringSubmatch(h.said.String())
	if at == nil {
		return fmt.Errorf("serve does not say where its workflow engine is:\n%s", h.said)
	}
	ring, err := seal.Load(filepath.Join(h.dir, "data", "keyring.json"))
	if err != nil {
		return err
	}
	quiet := log.NewStructuredLogger(discard())
	h.converter, h.failure = seal.DataConverter(ring), seal.FailureConverter(ring)
	if h.ring, err = client.Dial(client.Options{HostPort: at[1], Namespace: "tourniquet", Logger: quiet,
		DataConverter: h.converter, FailureConverter: h.failure}); err != nil {
		return err
	}
	if h.raw, err = client.Dial(client.Options{HostPort: at[1], Namespace: "tourniquet", Logger: quiet}); err != nil {
		return err
	}
	h.db, err = sql.Open("sqlite", "file:"+filepath.ToSlash(filepath.Join(h.dir, "data", "tourniquet.db"))+"?mode=ro")
	return err
}

// kill9 gives serve no chance to tidy up.
func (h *house) kill9() error {
	err := h.serve.Process.Kill()
	<-h.ended
	if errors.Is(err, os.ErrProcessDone) {
		err = nil
	}
	return err
}

// restart is kill -9 and a new start in the same folder.
func (h *house) restart(ctx context.Context) error {
	if err := h.kill9(); err != nil {
		return err
	}
	h.ring.Close()
	h.raw.Close()
	if err := h.db.Close(); err != nil {
		return err
	}
	if err := until(ctx, 10*time.Second, func() error {
		if h.Slack.Sockets() > 0 {
			return errors.New("the old socket is still there")
		}
		return nil
	}); err != nil {
		return err
	}
	return h.start(ctx)
}

// signIn has a personal token made for everybody, by somebody else.
func (h *house) signIn(ctx context.Context) error {
	people := []string{"ana", "bo", "cy", "kim", "sam", "lee", "gus", "fay", "rob", "del"}
	out, faults := make([]string, len(people)), make([]error, len(people))
	var all sync.WaitGroup
	for i, p := range people {
		all.Go(func() {
			out[i], faults[i] = h.command(ctx, "", "person", "token", "--for", p, "--issued-by", people[(i+1)%len(people)])
		})
	}
	all.Wait()
	for i, p := range people {
		h.tokens[p] = strings.TrimSpace(out[i])
	}
	return errors.Join(faults...)
}

// command runs the command line as somebody and returns what it printed.
func (h *house) command(ctx context.Context, person string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, h.program, append([]string{"--config", filepath.Join(h.dir, "tourniquet.yaml")}, args...)...)
	cmd.Env = append(os.Environ(), "TOURNIQUET_TOKEN="+h.tokens[person])
	var out, talk bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &talk
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("%w: %s", err, strings.TrimSpace(talk.String()))
	}
	return out.String(), nil
}

// talk is what a process wrote, readable while it runs.
type talk struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (t *talk) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.Write(p)
}

func (t *talk) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.String()
}
