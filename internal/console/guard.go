package console

import (
	"crypto/subtle"
	"net/http"
	"net/url"

	"github.com/tourniquet-ir/tourniquet/internal/people"
)

const (
	maxForm  = 64 << 10
	maxToken = 512
	policy   = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

// headers are on every answer. A body has most bytes.
func (c *Console) headers(next http.Handler, most int64) http.Handler {
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
		r.Body = http.MaxBytesReader(w, r.Body, most)
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

// page lets in who signed in with a browser and whose role has the right, and checks the session's own token on every write.
func (c *Console) page(right people.Right, h pageHandler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s, ok, err := c.find(r)
		if err != nil {
			c.broken(w, session{}, err)
			return
		}
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
		if right != people.Decide && !s.may(right) { // who may not decide is told so on the page that asks
			c.fault(w, s, http.StatusForbidden, notForRole)
			return
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
