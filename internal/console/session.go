package console

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"sync"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/people"
)

const (
	sessionFor  = 8 * time.Hour
	maxSessions = 10_000
)

// session is one browser that signed in. Who has no person id may look and nothing else.
type session struct {
	person incident.Person
	link   bool // came by the one-time link of a drill: sees everything, does nothing
	csrf   string
	until  time.Time
	still  func(context.Context) bool // whether what opened it is still good; nil: nothing can end it early
}

func (s session) may(r people.Right) bool {
	if s.link {
		return r == people.Look || r == people.SeeDetail || r == people.SeeSetup
	}
	if r == people.Decide && s.person.ID == "" {
		return false // whoever is nobody here has no seat
	}
	return people.May(people.RolesOf(s.person), r)
}

// sessions lie in memory: a restart signs everybody out, which costs a paste of the token.
type sessions struct {
	mu     sync.Mutex
	now    func() time.Time
	byID   map[[32]byte]session // under the hash of the cookie
	viewer string               // one-time link token, emptied by its use
}

func newSessions(now func() time.Time, viewer string) *sessions {
	return &sessions{now: now, byID: map[[32]byte]session{}, viewer: viewer}
}

// open makes a session and returns the value of its cookie.
func (s *sessions) open(p incident.Person, link bool) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	for id, old := range s.byID {
		if !now.Before(old.until) || len(s.byID) >= maxSessions {
			delete(s.byID, id)
		}
	}
	cookie := rand.Text() + rand.Text()
	s.byID[sha256.Sum256([]byte(cookie))] = session{person: p, link: link, csrf: rand.Text(), until: now.Add(sessionFor)}
	return cookie
}

// redeem turns the viewer's link token into a session, once.
func (s *sessions) redeem(token string) (cookie string, ok bool) {
	s.mu.Lock()
	fits := s.viewer != "" && subtle.ConstantTimeCompare([]byte(s.viewer), []byte(token)) == 1
	if fits {
		s.viewer = ""
	}
	s.mu.Unlock()
	if !fits {
		return "", false
	}
	return s.open(incident.Person{Name: "Viewer of this drill"}, true), true
}

func (s *sessions) find(r *http.Request) (session, bool) {
	c, err := r.Cookie(cookieName)
	if err != nil {
		return session{}, false
	}
	s.mu.Lock()
	got, ok := s.byID[sha256.Sum256([]byte(c.Value))]
	s.mu.Unlock()
	if !ok || !s.now().Before(got.until) || got.still != nil && !got.still(r.Context()) {
		return session{}, false
	}
	return got, true
}

// while ties the session of a cookie to what opened it: a personal token that is revoked ends its sessions, too.
func (s *sessions) while(cookie string, still func(context.Context) bool) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := sha256.Sum256([]byte(cookie))
	if got, ok := s.byID[id]; ok {
		got.still = still
		s.byID[id] = got
	}
	return cookie
}

func (s *sessions) close(r *http.Request) {
	if c, err := r.Cookie(cookieName); err == nil {
		s.mu.Lock()
		delete(s.byID, sha256.Sum256([]byte(c.Value)))
		s.mu.Unlock()
	}
}

const cookieName = "tourniquet_session"

func (c *Console) setCookie(w http.ResponseWriter, value string) {
	age := int(sessionFor / time.Second)
	if value == "" {
		age = -1
	}
	http.SetCookie(w, &http.Cookie{
		Name: cookieName, Value: value, Path: "/", MaxAge: age, HttpOnly: true, Secure: c.Secure, SameSite: http.SameSiteStrictMode,
	})
}
