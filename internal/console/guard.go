package console

import (
	"crypto/subtle"
	"net"
	"net/http"
	"net/url"
	"strings"
)

const (
	maxForm  = 64 << 10
	maxToken = 512
	policy   = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

// headers are on every answer.
func (c *Console) headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
		h.Set("Cache-Control", "no-store")
		if c.Secure {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		next.ServeHTTP(w, r)
	})
}

func cached(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "private, max-age=300")
		next.ServeHTTP(w, r)
	})
}

type pageHandler func(w http.ResponseWriter, r *http.Request, s session)

// page lets in who signed in with a browser, and checks the session's own token on every write.
func (c *Console) page(h pageHandler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s, ok := c.sessions.find(r)
		if !ok {
			c.signInFirst(w, r)
			return
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			if subtle.ConstantTimeCompare([]byte(r.PostFormValue("csrf")), []byte(s.csrf)) != 1 {
				c.fault(w, s, http.StatusForbidden, "This form does not belong to your session. Nothing was done. Go back, load the page again and repeat what you did.")
				return
			}
		}
		h(w, r, s)
	}
}

func (c *Console) signInFirst(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet && r.URL.Path != "/events" {
		http.Redirect(w, r, "/sign-in?"+url.Values{"next": {r.URL.RequestURI()}}.Encode(), http.StatusSeeOther)
		return
	}
	c.fault(w, session{}, http.StatusUnauthorized, "You are not signed in, or your session has ended. Nothing was done.")
}

// signInPage shows the form. The viewer's link only fills it in: looking at an address changes nothing.
func (c *Console) signInPage(w http.ResponseWriter, r *http.Request) {
	c.render(w, session{}, http.StatusOK, "sign-in", "Sign in", signInForm{Next: local(r.URL.Query().Get("next")), Link: r.URL.Query().Get("link")})
}

type signInForm struct{ Next, Link, Problem string }

func (c *Console) signIn(w http.ResponseWriter, r *http.Request) {
	form := signInForm{Next: local(r.PostFormValue("next"))}
	if link := r.PostFormValue("link"); link != "" {
		if cookie, ok := c.redeem(r, link); ok {
			c.enter(w, r, cookie, form.Next)
			return
		}
		form.Problem = "This link was used already, or it is not from here. A link opens one session, from the same machine, in a drill."
		c.render(w, session{}, http.StatusUnauthorized, "sign-in", "Sign in", form)
		return
	}
	token := strings.TrimSpace(r.PostFormValue("token"))
	if token != "" && len(token) <= maxToken {
		if p, ok := c.Desk.Person(r.Context(), token); ok && p.ID != "" {
			c.enter(w, r, c.sessions.open(p), form.Next)
			return
		}
	}
	c.Logger.Warn("a sign-in was refused", "from", r.RemoteAddr)
	form.Problem = "This token is not known. Ask an operator to issue one for you with “tourniquet person token”."
	c.render(w, session{}, http.StatusUnauthorized, "sign-in", "Sign in", form)
}

// redeem takes the viewer's link from this machine only.
func (c *Console) redeem(r *http.Request, link string) (string, bool) {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	ip := net.ParseIP(host)
	if err != nil || ip == nil || !ip.IsLoopback() {
		return "", false
	}
	return c.sessions.redeem(link)
}

func (c *Console) enter(w http.ResponseWriter, r *http.Request, cookie, next string) {
	c.setCookie(w, cookie)
	http.Redirect(w, r, next, http.StatusSeeOther)
}

func (c *Console) signOut(w http.ResponseWriter, r *http.Request, _ session) {
	c.sessions.close(r)
	c.setCookie(w, "")
	http.Redirect(w, r, "/sign-in", http.StatusSeeOther)
}

// local keeps a way back inside this console.
func local(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.Host != "" || u.Scheme != "" || !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.Contains(next, `\`) {
		return "/"
	}
	return next
}
