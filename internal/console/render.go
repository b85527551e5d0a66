package console

import (
	"bytes"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/people"
	"github.com/tourniquet-ir/tourniquet/internal/report"
)

// frame is what every page has.
type frame struct {
	Title  string
	Page   string
	Drill  bool
	Person string
	Viewer bool // may not decide
	May    mayDo
	CSRF   string
	Next   string // where the browser goes by itself
	Now    time.Time
	Data   any
}

// mayDo is what the reader may, for links and forms. The handlers decide by themselves.
type mayDo struct{ Detail, Decide, Act, Note, Setup bool }

func (s session) mayDo() mayDo {
	return mayDo{s.may(people.SeeDetail), s.may(people.Decide), s.may(people.Act), s.may(people.Note), s.may(people.SeeSetup)}
}

func parsePages(now func() time.Time) (map[string]*template.Template, error) {
	base, err := template.New("layout").Funcs(funcs(now)).ParseFS(pageFiles, "pages/layout.html", "pages/part*.html")
	if err != nil {
		return nil, fmt.Errorf("pages of the console: %w", err)
	}
	names, err := pageFiles.ReadDir("pages")
	if err != nil {
		return nil, fmt.Errorf("pages of the console: %w", err)
	}
	out := map[string]*template.Template{}
	for _, n := range names {
		name := strings.TrimSuffix(n.Name(), path.Ext(n.Name()))
		if name == "layout" || strings.HasPrefix(name, "part") {
			continue
		}
		t, err := base.Clone()
		if err == nil {
			t, err = t.ParseFS(pageFiles, "pages/"+n.Name())
		}
		if err != nil {
			return nil, fmt.Errorf("page %q of the console: %w", name, err)
		}
		out[name] = t
	}
	return out, nil
}

// render writes a whole page or, when it cannot be made, none of it.
func (c *Console) render(w http.ResponseWriter, s session, status int, page, title string, data any) {
	var out bytes.Buffer
	f := frame{
		Title: title, Page: page, Drill: c.World == incident.WorldDrill, Person: s.person.Name, Viewer: !s.may(people.Decide), May: s.mayDo(),
		CSRF: s.csrf, Now: c.Now(), Data: data,
	}
	if form, ok := data.(signInForm); ok {
		f.Next = form.Continue
	}
	err := c.pages[page].ExecuteTemplate(&out, "layout.html", f)
	if err != nil {
		c.Logger.Error("a page could not be made", "page", page, "error", err)
		http.Error(w, "This page could not be made; the log says why.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(report.Neutral(out.Bytes())) // who went away does not need the rest
}

func (c *Console) fault(w http.ResponseWriter, s session, status int, sentence string) {
	c.render(w, s, status, "fault", http.StatusText(status), sentence)
}

// broken answers an error of our own records: 404 where something is unknown, else 500 with the cause in the log only.
func (c *Console) broken(w http.ResponseWriter, s session, err error) {
	var missing *database.NotFoundError
	if errors.As(err, &missing) {
		c.fault(w, s, http.StatusNotFound, fmt.Sprintf("There is no %s %q here.", missing.Kind, missing.ID))
		return
	}
	c.Logger.Error("a page could not be read", "error", err)
	c.fault(w, s, http.StatusInternalServerError, "The records could not be read; the log says why.")
}
