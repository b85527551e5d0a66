package console

import (
	"cmp"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"path"
	"strconv"

	"github.com/tourniquet-ir/tourniquet/internal/report"
)

// apiEvidence makes the whole bundle before it answers: half a bundle must never look like one.
func (c *Console) apiEvidence(w http.ResponseWriter, r *http.Request, s session) {
	a, ok := c.access(r, s)
	if !ok {
		problem(w, http.StatusUnprocessableEntity, "malformed", "Evidence takes “redact=true” and, with it, patterns of files to “keep”. Nothing was made.")
		return
	}
	c.handOut(w, r, a, a.Run+".zip")
}

// apiRefund is the bundle redacted to what a provider's billing support needs.
func (c *Console) apiRefund(w http.ResponseWriter, r *http.Request, s session) {
	a, ok := c.access(r, s)
	if !ok || a.Redact || len(a.Keep) > 0 {
		problem(w, http.StatusUnprocessableEntity, "malformed", "What a refund pack tells is not chosen here. For another choice take the evidence with “redact=true” and “keep”.")
		return
	}
	a.Refund = true
	c.handOut(w, r, a, a.Run+"-refund.zip")
}

func (c *Console) handOut(w http.ResponseWriter, r *http.Request, a report.Access, name string) {
	if _, err := c.DB.Run(r.Context(), a.Run); err != nil {
		c.apiBroken(w, err)
		return
	}
	if c.Report.Bundle == nil {
		problem(w, http.StatusNotImplemented, "no_bundle", "This installation has no evidence store.")
		return
	}
	out, err := os.CreateTemp("", "tourniquet-bundle-*")
	if err != nil {
		c.apiBroken(w, fmt.Errorf("a bundle finds no place: %w", err))
		return
	}
	defer func() { _, _ = out.Close(), os.Remove(out.Name()) }() // it was sent, or not
	err = c.Report.Bundle(r.Context(), a, out)
	size, seekErr := out.Seek(0, io.SeekCurrent)
	_, backErr := out.Seek(0, io.SeekStart)
	if err := cmp.Or(err, seekErr, backErr); err != nil {
		c.apiBroken(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/zip")
	w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	_, _ = io.Copy(w, out) // who went away does not need the rest
}

// access says who takes evidence, from where, and what is withheld from it.
func (c *Console) access(r *http.Request, s session) (report.Access, bool) {
	q := r.URL.Query()
	a := report.Access{Run: r.PathValue("id"), Who: s.person.ID, Surface: SurfaceConsole, At: c.Now(), Redact: q.Get("redact") == "true", Keep: q["keep"]}
	if s.viewer() {
		a.Who = "viewer" // the one-time link of a drill
	}
	if r.Header.Get("Authorization") != "" {
		a.Surface = SurfaceCLI
	}
	good := (a.Redact || len(a.Keep) == 0 && !q.Has("redact")) && len(a.Keep) <= 100
	for _, p := range a.Keep {
		_, err := path.Match(p, "")
		good = good && err == nil
	}
	return a, good
}
