package sandbox

import (
	"fmt"
	"net/http"
	"sync"
	"time"
)

// Slack is one pretended workspace: the Web API below /api/, Socket Mode, signed presses, and a page where a person
// presses the real buttons. All its methods are safe for concurrent use.
type Slack struct {
	w      *World
	client *http.Client

	mu            sync.Mutex
	creds         SlackCredentials
	scopes        map[string]bool
	interactivity string // address of the HTTP door's /interactions
	commands      string
	people        []SlackPerson
	groups        map[string][]string
	channels      []*slackChannel
	messages      []*SlackMessage
	views         map[string]*SlackView
	triggers      map[string]slackTrigger
	sockets       []*slackSocket
	connections   int // made so far
	tickets       map[string]time.Time
	responses     map[string]*slackResponse
	files         map[string]*slackFile
	uploads       map[string]*slackFile // ticket -> file
	usedUp        bool                  // every response_url has been used five times
	mischief      []SlackMischief
	deliveries    []string                // what happens to the next ones
	gate          chan struct{}           // closed when a delivery has overtaken the one that was held back
	limits        map[string]*slackBucket // nil: no rate limits
	host          string                  // where the app last called us
	lastTS        int64
	version       int
	changed       chan struct{} // closed and replaced at every change
}

// SlackCredentials is what an app of this workspace is given. They are made anew for every workspace.
type SlackCredentials struct {
	Token         string
	AppToken      string
	SigningSecret string
	Team          string
	App           string
	Bot           string // user id of the app's bot
	Channel       string // id of the responders' channel
}

// SlackPerson is somebody in the workspace, or somebody who looks like it.
type SlackPerson struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Title    string `json:"title"` // what they do, shown on the page
	Team     string `json:"-"`     // "" for this workspace
	Bot      bool   `json:"-"`
	Deleted  bool   `json:"-"`
	Guest    bool   `json:"-"`
	Stranger bool   `json:"-"`
}

type slackChannel struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Person string `json:"person,omitempty"` // of a direct message
	Topic  string `json:"topic,omitempty"`

	Shared   bool            `json:"-"`
	Archived bool            `json:"-"`
	Out      bool            `json:"-"` // the app is not a member
	Creator  string          `json:"-"`
	Members  map[string]bool `json:"-"` // whom the app invited
}

type slackTrigger struct {
	user string
	at   time.Time
	used bool
}

// Slack makes a new workspace in this world, with a channel named incident-response and nobody in it.
func (w *World) Slack() *Slack {
	id := func(prefix string) string { return prefix + randomText("0123456789ABCDEFGHJKLMNPQRSTUVWXYZ", 9) }
	s := &Slack{
		w: w, client: &http.Client{Timeout: slackPatience},
		creds: SlackCredentials{
			Token: "xoxb-sandbox-" + randomText(lowerAlphabet, 24), AppToken: "xapp-sandbox-" + randomText(lowerAlphabet, 24),
			SigningSecret: randomText("0123456789abcdef", 32), Team: id("T"), App: id("A"), Bot: id("U"), Channel: id("C"),
		},
		scopes: map[string]bool{}, groups: map[string][]string{}, views: map[string]*SlackView{},
		triggers: map[string]slackTrigger{}, tickets: map[string]time.Time{}, responses: map[string]*slackResponse{}, changed: make(chan struct{}),
		files: map[string]*slackFile{}, uploads: map[string]*slackFile{},
	}
	for _, scope := range []string{"channels:read", "chat:write", "commands", "files:write", "im:write", "usergroups:read", "users:read"} {
		s.scopes[scope] = true
	}
	s.channels = []*slackChannel{{ID: s.creds.Channel, Name: "incident-response"}}
	return s
}

// Credentials is what the product's config is given.
func (s *Slack) Credentials() SlackCredentials { return s.creds }

// Deliver sets where presses and commands are sent when no Socket Mode client is connected.
func (s *Slack) Deliver(interactions, commands string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.interactivity, s.commands = interactions, commands
}

// AddPerson adds somebody, or changes who they are.
func (s *Slack) AddPerson(p SlackPerson) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.touch()
	for i := range s.people {
		if s.people[i].ID == p.ID {
			s.people[i] = p
			return
		}
	}
	s.people = append(s.people, p)
}

// SetGroup makes a user group of exactly these people.
func (s *Slack) SetGroup(id string, users ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.groups[id] = append([]string(nil), users...)
}

// RemoveScope takes a scope from the app.
func (s *Slack) RemoveScope(scope string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.scopes, scope)
}

// AddScope gives the app a scope, as installing it again does.
func (s *Slack) AddScope(scope string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.scopes[scope] = true
}

// ShareChannel shares the responders' channel with another company, or ends that.
func (s *Slack) ShareChannel(shared bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.channels[0].Shared = shared
}

// DeleteMessage removes a message, as its author or an admin could.
func (s *Slack) DeleteMessage(channel, ts string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, m := range s.messages {
		if m.Channel == channel && m.TS == ts {
			s.messages = append(s.messages[:i], s.messages[i+1:]...)
			s.touch()
			return
		}
	}
}

// touch tells everybody who watches that something changed. The lock is held.
func (s *Slack) touch() {
	s.version++
	close(s.changed)
	s.changed = make(chan struct{})
}

// Changed is closed at the next change.
func (s *Slack) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

// nextTS makes a message id: Slack's are times with six digits, unique in a channel. The lock is held.
func (s *Slack) nextTS() string {
	now := max(s.w.Now().UnixMicro(), s.lastTS+1)
	s.lastTS = now
	return fmt.Sprintf("%d.%06d", now/1e6, now%1e6)
}

func (s *Slack) person(id string) (SlackPerson, bool) {
	for _, p := range s.people {
		if p.ID == id {
			return p, true
		}
	}
	return SlackPerson{}, false
}

func (s *Slack) channel(id string) *slackChannel {
	for _, c := range s.channels {
		if c.ID == id {
			return c
		}
	}
	return nil
}

func (s *Slack) message(channel, ts string) *SlackMessage {
	for _, m := range s.messages {
		if m.Channel == channel && m.TS == ts {
			return m
		}
	}
	return nil
}
