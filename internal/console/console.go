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

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/report"
	"github.com/tourniquet-ir/tourniquet/internal/review"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

// Desk takes every decision and answer: it records the attempt, checks the person and signs.
type Desk interface {
	// Decide returns a sentence for the person, whether the act counts, and a stable code where it does not.
	Decide(ctx context.Context, a Act) (answer string, accepted bool, code string)
	// Person says whose personal token this is.
	Person(ctx context.Context, token string) (incident.Person, bool)
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
	// Explain says which playbook in force now would answer an alert, and why each other does not; nil: the page leaves it out.
	Explain func(incident.Alert) []playbooks.Explained
	Known   review.Known // who is listed under people: only they own next steps
	Logger  *slog.Logger
	Now     func() time.Time
	World   string // incident.WorldDrill puts a watermark on every page
	Secure  bool   // cookies over https only; false on plain loopback
	Viewer  string // drills only: a link token that opens one session that may look but not decide; empty: none
}

// Console is the web door for people.
type Console struct {
	Options
	pages    map[string]*template.Template
	sessions *sessions
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
	o.Report = defaults(o.Report, o.DB)
	pages, err := parsePages(o.Now)
	if err != nil {
		return nil, err
	}
	return &Console{Options: o, pages: pages, sessions: newSessions(o.Now, o.Viewer), watch: &watch{db: o.DB}}, nil
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
	return c.headers(cross.Handler(mux))
}

func (c *Console) routes(mux *http.ServeMux) {
	mux.Handle("GET /static/", cached(http.FileServerFS(staticFiles)))
	mux.HandleFunc("GET /sign-in", c.signInPage)
	mux.HandleFunc("POST /sign-in", c.signIn)
	mux.HandleFunc("POST /sign-out", c.page(c.signOut))

	mux.HandleFunc("GET /{$}", c.page(c.home))
	mux.HandleFunc("GET /runs", c.page(c.runs))
	mux.HandleFunc("GET /runs/{id}", c.page(c.run))
	mux.HandleFunc("POST /runs/{id}/review", c.page(c.review))
	mux.HandleFunc("GET /signoffs", c.page(c.signoffs))
	mux.HandleFunc("GET /signoffs/{id}", c.page(c.signoff))
	mux.HandleFunc("POST /signoffs/{id}/decisions", c.page(c.decide))
	mux.HandleFunc("GET /questions/{id}", c.page(c.question))
	mux.HandleFunc("POST /questions/{id}/answers", c.page(c.answer))
	mux.HandleFunc("POST /questions/{id}/key", c.page(c.seal))
	mux.HandleFunc("GET /alerts", c.page(c.alerts))
	mux.HandleFunc("GET /alerts/{id}/burn.svg", c.page(c.burnChart))
	mux.HandleFunc("GET /alerts/{id}", c.page(c.alert))
	mux.HandleFunc("GET /events", c.page(c.events))

	mux.HandleFunc("GET /v1/runs", c.api(c.apiRuns))
	mux.HandleFunc("GET /v1/runs/{id}", c.api(c.apiRun))
	mux.HandleFunc("GET /v1/runs/{id}/timeline", c.api(c.apiTimeline))
	mux.HandleFunc("GET /v1/runs/{id}/report", c.api(c.apiReport))
	mux.HandleFunc("GET /v1/runs/{id}/evidence", c.api(c.apiEvidence))
	mux.HandleFunc("GET /v1/runs/{id}/refund", c.api(c.apiRefund))
	mux.HandleFunc("POST /v1/runs/{id}/review", c.api(c.apiReview))
	mux.HandleFunc("GET /v1/report.schema.json", c.api(c.apiReportSchema))
	mux.HandleFunc("GET /v1/signoffs", c.api(c.apiSignoffs))
	mux.HandleFunc("GET /v1/signoffs/{id}", c.api(c.apiSignoff))
	mux.HandleFunc("POST /v1/signoffs/{id}/decisions", c.api(c.apiDecide))
	mux.HandleFunc("GET /v1/questions", c.api(c.apiQuestions))
	mux.HandleFunc("POST /v1/questions/{id}/answers", c.api(c.apiAnswer))
	mux.HandleFunc("POST /v1/questions/{id}/key", c.api(c.apiSeal))
	mux.HandleFunc("GET /v1/alerts", c.api(c.apiAlerts))
}
