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

	"github.com/tourniquet-ir/tourniquet/internal/api"
	"github.com/tourniquet-ir/tourniquet/internal/report"
)

// apiEvidence makes the whole bundle before it answers: half a bundle must never look like one.
func (c *Console) apiEvidence(w http.ResponseWriter, r *http.Request, who api.Caller, in evidenceIn) {
	a, ok := c.access(who, in)
	if !ok {
		api.Refuse(w, api.Malformed("Evidence takes “redact=true” and, with it, patterns of files to “keep”. Nothing was made."))
		return
	}
	c.handOut(w, r, a, a.Run+".zip")
}

// apiRefund is the bundle redacted to what a provider's billing support needs.
func (c *Console) apiRefund(w http.ResponseWriter, r *http.Request, who api.Caller, in byID) {
	a, _ := c.access(who, evidenceIn{ID: in.ID})
	a.Refund = true
	c.handOut(w, r, a, a.Run+"-refund.zip")
}

func (c *Console) handOut(w http.ResponseWriter, r *http.Request, a report.Access, name string) {
	if _, err := c.DB.Run(r.Context(), a.Run); err != nil {
		api.Refuse(w, c.apiFault(err))
		return
	}
	if c.Report.Bundle == nil {
		api.Refuse(w, api.Fault(http.StatusNotImplemented, "no_bundle", "This installation has no evidence store."))
		return
	}
	out, err := os.CreateTemp("", "tourniquet-bundle-*")
	if err != nil {
		api.Refuse(w, c.apiFault(fmt.Errorf("a bundle finds no place: %w", err)))
		return
	}
	defer func() { _, _ = out.Close(), os.Remove(out.Name()) }() // it was sent, or not
	err = c.Report.Bundle(r.Context(), a, out)
	size, seekErr := out.Seek(0, io.SeekCurrent)
	_, backErr := out.Seek(0, io.SeekStart)
	if err := cmp.Or(err, seekErr, backErr); err != nil {
		api.Refuse(w, c.apiFault(err))
		return
	}
	w.Header().Set("Content-Type", "application/zip")
	w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	_, _ = io.Copy(w, out) // who went away does not need the rest
}

type evidenceIn struct {
	ID     string   `path:"id"`
	Redact string   `query:"redact" enum:"true" doc:"true: what names people and places is withheld; the bundle still verifies"`
	Keep   []string `query:"keep" doc:"with redact: patterns of files that are told all the same"`
}

// access says who takes evidence, from where, and what is withheld from it.
func (c *Console) access(who api.Caller, in evidenceIn) (report.Access, bool) {
	a := report.Access{Run: in.ID, Who: who.Person.ID, Surface: who.Surface, At: c.Now(), Redact: in.Redact == "true", Keep: in.Keep}
	if a.Who == "" {
		a.Who = "viewer" // the one-time link of a drill
	}
	good := (a.Redact || len(a.Keep) == 0) && len(a.Keep) <= 100
	for _, p := range a.Keep {
		_, err := path.Match(p, "")
		good = good && err == nil
	}
	return a, good
}
