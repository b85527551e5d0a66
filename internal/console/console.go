package console

import (
	"context"
	"embed"
	"errors"
	"html/template"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/api"
	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/people"
	"github.com/tourniquet-ir/tourniquet/internal/report"
	"github.com/tourniquet-ir/tourniquet/internal/review"
	"github.com/tourniquet-ir/tourniquet/playbooks"
	"github.com/tourniquet-ir/tourniquet/playbooks/graph"
)

// Desk takes every decision and answer: it records the attempt, checks the person and signs.
type Desk interface {
	// Decide returns a sentence for the person, whether the act counts, and a stable code where it does not.
	Decide(ctx context.Context, a Act) (answer string, accepted bool, code string)
	// Person says whose personal token this is, and the id under which it may be kept; no id: it is not good. Where it was good once
	// and is no more, refusal is a sentence for its owner.
	Person(ctx context.Context, token string) (p incident.Person, id, refusal string)
	// Still says who a session belongs to, with the roles of now; false where what opened it has ended.
	Still(ctx context.Context, s database.Session) (incident.Person, bool, error)
	Sealer
}

// Act is one try to decide a sign-off or to answer a question.
type Act struct{ Person, Surface, Request, Verb, Digest, Reason, Answer string }

// Surfaces on which an act came in.
const (
	SurfaceConsole = "console"
	SurfaceCLI     = "cli" // the JSON API with a personal token
)

// Report makes the documents of a run.
type Report struct {
	Markdown, HTML, JSON func(ctx context.Context, run string) ([]byte, error)
	Bundle               func(ctx context.Context, a report.Access, w io.Writer) error // records the access
}

// Options is what a console needs. Report functions that are nil come from package report, except Bundle, without which
// the bundle answers 501.
type Options struct {
	DB     *database.DB
	Desk   Desk
	Report Report
	// SignOn is a service with which people sign in beside personal tokens; nil: there is none.
	SignOn SignOn
	// More are endpoints of other rooms. They are served here, behind the same sign-in, and stand in the same description.
	More    []api.Endpoint
	Version string
	Library
	// Explain says which playbook in force now would answer an alert, and why each other does not; nil: the page leaves it out.
	Explain func(incident.Alert) []playbooks.Explained
	Known   review.Known // who is listed under people: only they own next steps
	Logger  *slog.Logger
	Now     func() time.Time
	World   string // incident.WorldDrill puts a watermark on every page
	Codec   *Codec // nil: the engine's own pages are shown nothing
	Secure  bool   // cookies over https only; false on plain loopback
	Viewer  string // drills only: a link token that opens one session that may look but not decide; empty: none
}

// Console is the web door for people.
type Console struct {
	Options
	pages    map[string]*template.Template
	document []byte
	watch    *watch
}

//go:embed static
var staticFiles embed.FS

//go:embed pages/*.html
var pageFiles embed.FS

// New makes a console.
func New(o Options) (*Console, error) {
	if o.DB == nil || o.Desk == nil {
		return nil, errors.New("a console needs a database and a desk")
	}
	if o.Viewer != "" && o.World != incident.WorldDrill {
		return nil, errors.New("a viewer's link exists in drills only: in production everybody signs in with a personal token")
	}
	if o.Known == nil {
		o.Known = func(string) bool { return false }
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Version == "" {
		o.Version = "unknown"
	}
	o.Report = defaults(o.Report, o.DB)
	pages, err := parsePages(o.Now)
	if err != nil {
		return nil, err
	}
	c := &Console{Options: o, pages: pages, watch: &watch{db: o.DB}}
	c.document = api.Document(o.Version, c.all())
	return c, nil
}

func defaults(r Report, db *database.DB) Report {
	bind := func(f func(context.Context, *database.DB, string) ([]byte, error)) func(context.Context, string) ([]byte, error) {
		return func(ctx context.Context, run string) ([]byte, error) { return f(ctx, db, run) }
	}
	if r.Markdown == nil {
		r.Markdown = bind(report.Markdown)
	}
	if r.HTML == nil {
		r.HTML = bind(report.HTML)
	}
	if r.JSON == nil {
		r.JSON = bind(report.JSON)
	}
	return r
}

// Handler serves pages and API. Health, metrics and signed webhooks are other handlers.
func (c *Console) Handler() http.Handler {
	mux := http.NewServeMux()
	c.routes(mux)
	cross := http.NewCrossOriginProtection() // refuses writes that another site makes a browser send
	pages := c.headers(cross.Handler(mux), maxForm)
	if c.Codec == nil {
		return pages
	}
	all := http.NewServeMux() // pages of the engine ask from another origin: what protects the console would keep them out
	all.Handle(CodecPath+"/", c.codecDoor())
	all.Handle("/", pages)
	return all
}

func (c *Console) routes(mux *http.ServeMux) {
	mux.Handle("GET /static/", cached(http.FileServerFS(staticFiles)))
	mux.Handle("GET /graph.css", cached(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/css; charset=utf-8")
		_, _ = io.WriteString(w, graph.CSS()) // who went away does not need the rest
	})))
	mux.HandleFunc("GET /sign-in", c.signInPage)
	mux.HandleFunc("POST /sign-in", c.signIn)
	mux.HandleFunc("GET "+signOnPath, c.beginSignOn)
	mux.HandleFunc("GET "+SignOnBack, c.finishSignOn)
	for _, p := range []struct {
		pattern string
		right   people.Right
		serve   pageHandler
	}{
		{"POST /sign-out", people.Look, c.signOut},
		{"GET /{$}", people.Look, c.home},
		{"GET /runs", people.Look, c.runs},
		{"GET /runs/{id}", people.Look, c.run},
		{"GET /runs/{id}/step", people.Look, c.step},
		{"GET /runs/{id}/history", people.SeeDetail, c.historyPage},
		{"POST /runs/{id}/review", people.Note, c.review},
		{"GET /signoffs", people.Look, c.signoffs},
		{"GET /signoffs/{id}", people.Look, c.signoff},
		{"POST /signoffs/{id}/decisions", people.Decide, c.decide},
		{"GET /questions/{id}", people.Look, c.question},
		{"POST /questions/{id}/answers", people.Decide, c.answer},
		{"POST /questions/{id}/key", people.Decide, c.seal},
		{"GET /alerts", people.Look, c.alerts},
		{"GET /alerts/{id}", people.Look, c.alert},
		{"GET /alerts/{id}/burn.svg", people.SeeDetail, c.burnChart},
		{"GET /keys", people.Look, c.keysPage},
		{"GET /playbooks", people.Look, c.playbooksPage},
		{"GET /playbooks/{id}", people.Look, c.playbookPage},
		{"GET /actions", people.Look, c.actionsPage},
		{"GET /setup", people.SeeSetup, c.setupPage},
		{"GET /events", people.Look, c.events},
	} {
		mux.HandleFunc(p.pattern, c.page(p.right, p.serve))
	}
	for _, e := range c.all() {
		if e.Serve != nil {
			mux.HandleFunc(e.Method+" "+e.Path, c.api(e))
		}
	}
}
