package console

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/people"
)

const sessionFor = 8 * time.Hour

// session is one browser that signed in. Who has no person id may look and nothing else.
type session struct {
	person incident.Person
	link   bool // came by the one-time link of a drill: sees everything, does nothing
	csrf   string
	until  time.Time
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

// open keeps a session in the records, so that every process knows it, and gives the browser its cookie.
func (c *Console) open(ctx context.Context, w http.ResponseWriter, kept database.Session) error {
	cookie := rand.Text() + rand.Text()
	kept.Hash, kept.At, kept.Until = hashOf("session", cookie), c.Now(), c.Now().Add(sessionFor)
	if err := c.DB.OpenSession(ctx, kept); err != nil {
		return err
	}
	c.setCookie(w, cookie)
	return nil
}

// find says whose session a browser brings, as that person is now: without a role that was taken away, and not at all where
// what opened it has ended.
func (c *Console) find(r *http.Request) (s session, ok bool, err error) {
	cookie, err := r.Cookie(cookieName)
	if err != nil || cookie.Value == "" {
		return session{}, false, nil //nolint:nilerr // no cookie is a stranger, and no fault
	}
	kept, ok, err := c.DB.SessionByHash(r.Context(), hashOf("session", cookie.Value), c.Now())
	if err != nil || !ok {
		return session{}, false, err
	}
	s = session{link: kept.Said.Link, csrf: hashOf("csrf", cookie.Value), until: kept.Until}
	if s.link {
		s.person = incident.Person{Name: "Viewer of this drill"}
		return s, c.Viewer != "", nil
	}
	s.person, ok, err = c.Desk.Still(r.Context(), kept)
	return s, ok, err
}

func (c *Console) closeSession(r *http.Request) error {
	cookie, err := r.Cookie(cookieName)
	if err != nil {
		return nil //nolint:nilerr // nothing to close
	}
	return c.DB.CloseSession(r.Context(), hashOf("session", cookie.Value))
}

// hashOf is what may be known of a cookie, one value for each use. The token of forms is made from the cookie, too, so it need not be
// kept: whoever reads the records can forge neither.
func hashOf(use, cookie string) string {
	sum := sha256.Sum256([]byte("tourniquet/" + use + "/v1\n" + cookie))
	return hex.EncodeToString(sum[:])
}

const cookieName = "tourniquet_session"

func (c *Console) setCookie(w http.ResponseWriter, value string) {
	age := int(sessionFor / time.Second)
	if value == "" {
		age = -1
	}
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // Secure wherever the console is reached by https; a drill is not
		Name: cookieName, Value: value, Path: "/", MaxAge: age, HttpOnly: true, Secure: c.Secure, SameSite: http.SameSiteStrictMode,
	})
}
