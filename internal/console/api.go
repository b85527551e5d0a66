package console

import (
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strings"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/report"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
)

// api lets in a personal token. A browser's session may read here, so that links to documents work, but only the token,
// which no other site can send, may write.
func (c *Console) api(h pageHandler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		token, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if bearer && len(token) <= maxToken {
			if p, ok := c.Desk.Person(r.Context(), strings.TrimSpace(token)); ok && p.ID != "" {
				h(w, r, session{person: p})
				return
			}
		}
		if s, ok := c.sessions.find(r); ok && !bearer && r.Method == http.MethodGet {
			h(w, r, s)
			return
		}
		w.Header().Set("WWW-Authenticate", `Bearer realm="tourniquet"`)
		problem(w, http.StatusUnauthorized, "not_authenticated", "Send your personal token as “Authorization: Bearer …”; an operator issues one with “tourniquet person token”.")
	}
}

// problem is an RFC 9457 problem.
func problem(w http.ResponseWriter, status int, code, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	send(w, status, map[string]any{"title": http.StatusText(status), "status": status, "code": code, "detail": detail})
}

func send(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		http.Error(w, "the answer could not be written as JSON", http.StatusInternalServerError)
		return
	}
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "application/json")
	}
	w.WriteHeader(status)
	_, _ = w.Write(append(report.Neutral(body), '\n')) // who went away does not need the rest
}

func (c *Console) apiBroken(w http.ResponseWriter, err error) {
	var missing *database.NotFoundError
	if errors.As(err, &missing) {
		problem(w, http.StatusNotFound, "not_found", fmt.Sprintf("There is no %s %q here.", missing.Kind, missing.ID))
		return
	}
	c.Logger.Error("an API answer could not be read", "error", err)
	problem(w, http.StatusInternalServerError, "records", "The records could not be read; the log says why.")
}

// listed is one page of a list; next is the value of before for the page after it.
func listed(w http.ResponseWriter, items any, next string) {
	send(w, http.StatusOK, map[string]any{"items": items, "next": next})
}

func (c *Console) apiRuns(w http.ResponseWriter, r *http.Request, _ session) {
	f := filter(r.URL.Query())
	runs, err := c.DB.Runs(r.Context(), f)
	if err != nil {
		c.apiBroken(w, err)
		return
	}
	next := ""
	if len(runs) == f.Limit {
		next = runs[len(runs)-1].ID
	}
	listed(w, runs, next)
}

func (c *Console) apiRun(w http.ResponseWriter, r *http.Request, _ session) {
	c.facts(w, r, func(f *report.Facts) { send(w, http.StatusOK, f) })
}

func (c *Console) apiTimeline(w http.ResponseWriter, r *http.Request, _ session) {
	c.facts(w, r, func(f *report.Facts) {
		if r.URL.Query().Get("format") == "csv" {
			c.timelineCSV(w, f)
			return
		}
		listed(w, f.Timeline, "")
	})
}

func (c *Console) facts(w http.ResponseWriter, r *http.Request, use func(*report.Facts)) {
	f, err := report.Load(r.Context(), c.DB, r.PathValue("id"))
	if err != nil {
		c.apiBroken(w, err)
		return
	}
	use(f)
}

func (c *Console) apiReport(w http.ResponseWriter, r *http.Request, _ session) {
	write, kind := c.Report.Markdown, "text/markdown; charset=utf-8"
	switch wanted(r) {
	case "md":
	case "html":
		write, kind = c.Report.HTML, "text/html; charset=utf-8"
		w.Header().Set("Content-Security-Policy", report.Policy())
	case "json":
		write, kind = c.Report.JSON, "application/json"
	default:
		problem(w, http.StatusNotAcceptable, "format", "A report comes as md, html or json.")
		return
	}
	body, err := write(r.Context(), r.PathValue("id"))
	if err != nil {
		c.apiBroken(w, err)
		return
	}
	w.Header().Set("Content-Type", kind)
	_, _ = w.Write(body) // who went away does not need the rest
}

// wanted is the format asked for: ?format= first, then Accept, then Markdown.
func wanted(r *http.Request) string {
	if f := r.URL.Query().Get("format"); f != "" {
		return f
	}
	for _, part := range strings.Split(r.Header.Get("Accept"), ",") {
		switch kind, _, _ := mime.ParseMediaType(part); kind {
		case "text/html":
			return "html"
		case "application/json":
			return "json"
		case "text/markdown", "text/plain", "*/*":
			return "md"
		}
	}
	return "md"
}

func (c *Console) apiSignoffs(w http.ResponseWriter, r *http.Request, _ session) {
	q := r.URL.Query()
	views, err := c.DB.Requests(r.Context(), q.Get("run"), q.Get("state") == signoff.StateOpen)
	if err != nil {
		c.apiBroken(w, err)
		return
	}
	listed(w, views, "")
}

func (c *Console) apiSignoff(w http.ResponseWriter, r *http.Request, _ session) {
	view, err := c.DB.Request(r.Context(), r.PathValue("id"))
	if err != nil {
		c.apiBroken(w, err)
		return
	}
	attempts, err := c.DB.Attempts(r.Context(), view.Request)
	if err != nil {
		c.apiBroken(w, err)
		return
	}
	send(w, http.StatusOK, map[string]any{"view": view, "attempts": attempts})
}

func (c *Console) apiDecide(w http.ResponseWriter, r *http.Request, s session) {
	var in decision
	if !read(w, r, &in) {
		return
	}
	view, err := c.DB.Request(r.Context(), r.PathValue("id"))
	if err != nil {
		c.missed(r, s, SurfaceCLI, in.Verb, err)
		c.apiBroken(w, err)
		return
	}
	c.desk(w, r, in.act(s.person.ID, SurfaceCLI, view))
}

func (c *Console) apiQuestions(w http.ResponseWriter, r *http.Request, _ session) {
	q := r.URL.Query()
	list, err := c.DB.Questions(r.Context(), q.Get("run"), q.Get("state") == signoff.StateOpen)
	if err != nil {
		c.apiBroken(w, err)
		return
	}
	listed(w, list, "")
}

func (c *Console) apiAnswer(w http.ResponseWriter, r *http.Request, s session) {
	var in struct {
		Answer string `json:"answer"`
		Digest string `json:"digest,omitempty"` // of the question as it was read; empty: as it stands
	}
	if !read(w, r, &in) {
		return
	}
	q, err := c.DB.Question(r.Context(), r.PathValue("id"))
	if err != nil {
		c.missed(r, s, SurfaceCLI, wire.VerbAnswer, err)
		c.apiBroken(w, err)
		return
	}
	if in.Digest == "" {
		in.Digest = wire.QuestionDigest(asked(q))
	}
	if strings.TrimSpace(in.Answer) == "" {
		problem(w, http.StatusUnprocessableEntity, "malformed", "An answer needs “answer”. Nothing was done.")
		return
	}
	c.desk(w, r, Act{Person: s.person.ID, Surface: SurfaceCLI, Request: q.ID, Verb: wire.VerbAnswer, Digest: in.Digest, Answer: strings.TrimSpace(in.Answer)})
}

// desk passes an act on and says what became of it: 200 where it counts, 409 where it does not.
func (c *Console) desk(w http.ResponseWriter, r *http.Request, a Act) {
	answer, accepted, code := c.Desk.Decide(r.Context(), a)
	c.watch.poke()
	if !accepted {
		problem(w, http.StatusConflict, code, answer)
		return
	}
	send(w, http.StatusOK, map[string]any{"accepted": true, "answer": answer})
}

// read takes one JSON object; what it does not know, it refuses.
func read(w http.ResponseWriter, r *http.Request, into any) bool {
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "application/json" {
		problem(w, http.StatusUnsupportedMediaType, "media_type", "Send JSON with “Content-Type: application/json”.")
		return false
	}
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil || d.More() {
		problem(w, http.StatusUnprocessableEntity, "malformed", "The body is not the JSON object that is expected here. Nothing was done.")
		return false
	}
	return true
}

type alertItem struct {
	incident.Alert
	Fate database.Fate `json:"fate"`
}

func (c *Console) apiAlerts(w http.ResponseWriter, r *http.Request, _ session) {
	list, err := c.DB.Alerts(r.Context(), perPage, r.URL.Query().Get("before"))
	if err != nil {
		c.apiBroken(w, err)
		return
	}
	items, next := make([]alertItem, 0, len(list)), ""
	for _, a := range list {
		items = append(items, alertItem{a.Alert, a.Fate})
	}
	if len(list) == perPage {
		next = list[len(list)-1].Alert.ID
	}
	listed(w, items, next)
}
