package console

import (
	"cmp"
	"context"
	"crypto/subtle"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// SignOn is a service with which people sign in. It maps whoever comes back to a person, with the roles they have.
type SignOn interface {
	Name() string
	// Begin gives an address to send the browser to, and what that browser must show when it comes back.
	Begin(ctx context.Context, next string) (address, browser string, err error)
	// Finish takes what the browser came back with. The error is a sentence for whoever tried.
	Finish(ctx context.Context, answer url.Values, browser string) (p incident.Person, next string, err error)
}

// linkFor is how long a used link is remembered; no drill lasts longer.
const linkFor = 30 * 24 * time.Hour

const unknownToken = "This token is not known. Ask an operator to issue one for you with “tourniquet person token”."

// signInForm is what the page of that name shows.
type signInForm struct{ Next, Link, Problem, SignOn, Continue string }

// signInPage shows the form. The viewer's link only fills it in: looking at an address changes nothing.
func (c *Console) signInPage(w http.ResponseWriter, r *http.Request) {
	c.showSignIn(w, http.StatusOK, signInForm{Next: local(r.URL.Query().Get("next")), Link: r.URL.Query().Get("link")})
}

func (c *Console) showSignIn(w http.ResponseWriter, status int, form signInForm) {
	if c.SignOn != nil && form.Link == "" {
		form.SignOn = c.SignOn.Name()
	}
	c.render(w, session{}, status, "sign-in", "Sign in", form)
}

func (c *Console) signIn(w http.ResponseWriter, r *http.Request) {
	form := signInForm{Next: local(r.PostFormValue("next"))}
	kept, problem, err := c.proven(r)
	if err == nil && problem == "" {
		err = c.open(r.Context(), w, kept)
	}
	switch {
	case err != nil:
		c.broken(w, session{}, err)
	case problem != "":
		c.Logger.Warn("a sign-in was refused", "from", r.RemoteAddr)
		form.Problem = problem
		c.showSignIn(w, http.StatusUnauthorized, form)
	default:
		http.Redirect(w, r, form.Next, http.StatusSeeOther)
	}
}

// proven says what session the form opens, or why it opens none.
func (c *Console) proven(r *http.Request) (kept database.Session, problem string, err error) {
	if link := r.PostFormValue("link"); link != "" {
		return c.redeem(r, link)
	}
	token := strings.TrimSpace(r.PostFormValue("token"))
	if token == "" || len(token) > maxToken {
		return kept, unknownToken, nil
	}
	p, id, refusal := c.Desk.Person(r.Context(), token)
	if id == "" || p.ID == "" {
		return kept, cmp.Or(refusal, unknownToken), nil
	}
	return database.Session{Person: p.ID, Token: id}, "", nil
}

const usedLink = "This link was used already, or it is not from here. A link opens one session, from the same machine, in a drill."

// redeem takes the viewer's link once, from this machine only.
func (c *Console) redeem(r *http.Request, link string) (kept database.Session, problem string, err error) {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	ip := net.ParseIP(host)
	if err != nil || ip == nil || !ip.IsLoopback() || c.Viewer == "" || subtle.ConstantTimeCompare([]byte(c.Viewer), []byte(link)) != 1 {
		return kept, usedLink, nil //nolint:nilerr // from nowhere is not from here
	}
	used, err := c.DB.SeenBefore(r.Context(), "viewer's link "+link, c.Now().Add(linkFor))
	if err != nil || used {
		return kept, usedLink, err
	}
	return database.Session{Said: database.Said{Link: true}}, "", nil
}

func (c *Console) signOut(w http.ResponseWriter, r *http.Request, s session) {
	if err := c.closeSession(r); err != nil {
		c.broken(w, s, err)
		return
	}
	c.setCookie(w, "")
	http.Redirect(w, r, "/sign-in", http.StatusSeeOther)
}

// attemptCookie binds an attempt to sign in to the browser that began it. It is Lax, because the way back comes from
// the sign-on service; the session's own cookie stays Strict.
const (
	attemptCookie = "tourniquet_attempt"
	signOnPath    = "/sign-in/oidc"
	// SignOnBack is the path that is registered at the sign-on service.
	SignOnBack = signOnPath + "/back"
)

func (c *Console) beginSignOn(w http.ResponseWriter, r *http.Request) {
	next := local(r.URL.Query().Get("next"))
	if c.SignOn == nil {
		c.showSignIn(w, http.StatusNotFound, signInForm{Next: next, Problem: "This installation has no sign-on service: sign in with your personal token."})
		return
	}
	address, browser, err := c.SignOn.Begin(r.Context(), next)
	if err != nil {
		c.Logger.Error("the sign-on service cannot be used", "error", err)
		c.showSignIn(w, http.StatusBadGateway, signInForm{Next: next, Problem: "The sign-on service does not answer just now. A personal token works all the same."})
		return
	}
	http.SetCookie(w, &http.Cookie{Name: attemptCookie, Value: browser, Path: signOnPath, MaxAge: 600, HttpOnly: true, Secure: c.Secure, SameSite: http.SameSiteLaxMode}) //nolint:gosec // as the session cookie; Lax, because the way back begins elsewhere
	http.Redirect(w, r, address, http.StatusSeeOther)                                                                                                                     //nolint:gosec // the provider's own address, which the configuration names
}

// finishSignOn opens a session for whoever came back. It answers with a page and not with a redirect: the browser would not send
// a Strict cookie along on a way that another site began.
func (c *Console) finishSignOn(w http.ResponseWriter, r *http.Request) {
	if c.SignOn == nil {
		c.beginSignOn(w, r)
		return
	}
	browser := ""
	if got, err := r.Cookie(attemptCookie); err == nil {
		browser = got.Value
	}
	http.SetCookie(w, &http.Cookie{Name: attemptCookie, Path: signOnPath, MaxAge: -1, HttpOnly: true, Secure: c.Secure, SameSite: http.SameSiteLaxMode}) //nolint:gosec // as the session cookie; Lax, because the way back begins elsewhere
	p, next, err := c.SignOn.Finish(r.Context(), r.URL.Query(), browser)
	if err != nil {
		c.Logger.Warn("a sign-in was refused", "from", r.RemoteAddr, "error", err)
		c.showSignIn(w, http.StatusUnauthorized, signInForm{Next: "/", Problem: sentence(err.Error())})
		return
	}
	if err := c.open(r.Context(), w, database.Session{Person: p.ID, Said: database.Said{Subject: p.Subject, Name: p.Name, Roles: p.Roles}}); err != nil {
		c.broken(w, session{}, err)
		return
	}
	c.Logger.Info("signed in", "person", p.ID, "name", p.Name)
	c.render(w, session{}, http.StatusOK, "sign-in", "Signed in", signInForm{Continue: local(next)})
}

// sentence begins with a capital and ends with a full stop.
func sentence(s string) string {
	if s == "" {
		return ""
	}
	return strings.ToUpper(s[:1]) + strings.TrimSuffix(s[1:], ".") + "."
}

// local keeps a way back inside this console.
func local(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.Host != "" || u.Scheme != "" || !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.Contains(next, `\`) {
		return "/"
	}
	return next
}
