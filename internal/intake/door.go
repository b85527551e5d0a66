package intake

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/tourniquet-ir/tourniquet/integrations/sources"
	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// Store keeps alerts; *database.DB is one.
type Store interface {
	StoreAlerts(ctx context.Context, f incident.Finding, list []database.Incoming) ([]database.Stored, error)
	PutSealed(ctx context.Context, handle string, secret []byte, run string) (incident.SecretRef, error)
	AlertFate(ctx context.Context, id string) (database.Fate, error)
}

// Box makes the keyed hash by which alerts about one secret find each other; *seal.Box is one.
type Box interface{ KeyedHash(value []byte) string }

// Configured is a source with what the configuration says about it.
type Configured struct {
	Source  sources.Source
	Auth    sources.Auth
	Trust   string          // incident.TrustAct or TrustTell
	Fetcher sources.Fetcher // nil when the source never points to a live value
	// Confirm visits the address by which a sender wants its subscription confirmed; nil means that people do it.
	Confirm func(ctx context.Context, address string) error
}

// Options configure the door.
type Options struct {
	Store   Store
	Box     Box
	Sources map[string]Configured // by the name in the path
	Logger  *slog.Logger
	Wake    func() // tells the dispatcher that there is work; nil means nobody is told
	// Reader lets a caller read the fate of an alert; nil means nobody may.
	Reader sources.Auth
	Now    func() time.Time
	// FetchTimeout bounds the reading of a live value: GitHub gives up on a webhook after 10 s. 5 s when zero.
	FetchTimeout time.Duration
	// Parallel is how many deliveries are worked on at once; more are answered 503. 64 when zero.
	Parallel int
}

type door struct {
	o     Options
	slots chan struct{}
}

// New checks the options and makes the handler of POST /v1/alerts/{source} and GET /v1/alerts/{id}.
func New(o Options) (http.Handler, error) {
	if o.Store == nil || o.Box == nil {
		return nil, errors.New("the intake needs a store and a box")
	}
	for name, c := range o.Sources {
		if c.Source == nil || c.Auth == nil {
			return nil, fmt.Errorf("source %q needs a decoder and a way to authenticate: an open door would let anybody start a response", name)
		}
		if c.Trust != incident.TrustAct && c.Trust != incident.TrustTell {
			return nil, fmt.Errorf("source %q: trust %q is not one of %s, %s", name, c.Trust, incident.TrustAct, incident.TrustTell)
		}
	}
	d := &door{o: withDefaults(o)}
	d.slots = make(chan struct{}, d.o.Parallel)
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/alerts/{source}", d.post)
	mux.HandleFunc("OPTIONS /v1/alerts/{source}", d.handshake)
	mux.HandleFunc("GET /v1/alerts/{id}", d.fate)
	return mux, nil
}

func withDefaults(o Options) Options {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Wake == nil {
		o.Wake = func() {}
	}
	if o.FetchTimeout == 0 {
		o.FetchTimeout = 5 * time.Second
	}
	if o.Parallel == 0 {
		o.Parallel = 64
	}
	return o
}

// answer is the body of a 202. A delivery of several findings names the first alert and lists all.
type answer struct {
	AlertID string  `json:"alert_id,omitempty"`
	Status  string  `json:"status"` // accepted, duplicate, or ignored when there is nothing to store
	Reason  string  `json:"reason,omitempty"`
	Alerts  []named `json:"alerts,omitempty"`
}

type named struct {
	AlertID string `json:"alert_id"`
	Status  string `json:"status"`
}

func (d *door) post(w http.ResponseWriter, r *http.Request) {
	select {
	case d.slots <- struct{}{}:
		defer func() { <-d.slots }()
	default:
		overloaded(w, "too many deliveries at once")
		return
	}
	name := r.PathValue("source")
	req, refused := d.read(w, r)
	if refused != nil {
		problem(w, refused)
		return
	}
	// A source that is not configured looks like a wrong proof, so that nobody can list the sources.
	c, known := d.o.Sources[name]
	if !known {
		problem(w, sources.ErrUnauthenticated)
		return
	}
	got, err := d.checked(r.Context(), name, c, req)
	var refusal *sources.RefusedError
	switch {
	case errors.Is(err, sources.ErrUnauthenticated):
		problem(w, sources.ErrUnauthenticated)
	case errors.As(err, &refusal):
		d.o.Logger.Info("finding refused", "source", name, "status", refusal.Status, "reason", refusal.Reason)
		problem(w, refusal)
	case err != nil:
		// What went wrong inside stays inside; the sender only has to come again.
		d.o.Logger.Error("finding not stored", "source", name, "error", err.Error())
		overloaded(w, "the finding could not be stored just now")
	default:
		writeJSON(w, http.StatusAccepted, "application/json", got)
	}
}

// read takes the body whole before anything looks at it: signatures cover the raw bytes.
func (d *door) read(w http.ResponseWriter, r *http.Request) (sources.Request, *sources.RefusedError) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, sources.MaxBody))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return sources.Request{}, &sources.RefusedError{Status: http.StatusRequestEntityTooLarge, Reason: fmt.Sprintf("the body is larger than %d bytes", sources.MaxBody)}
	case err != nil:
		return sources.Request{}, &sources.RefusedError{Status: http.StatusBadRequest, Reason: "the body broke off"}
	}
	req := sources.Request{Headers: r.Header, Body: body, At: d.o.Now().UTC(), Peer: peer(r)}
	if from, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		req.Remote = from
	}
	return req, nil
}

// peer lists the names in a client certificate that our own TLS verified.
func peer(r *http.Request) []string {
	if r.TLS == nil || len(r.TLS.VerifiedChains) == 0 {
		return nil
	}
	leaf := r.TLS.VerifiedChains[0][0]
	names := append([]string{}, leaf.DNSNames...)
	for _, u := range leaf.URIs {
		names = append(names, u.String())
	}
	if leaf.Subject.CommonName != "" {
		names = append(names, leaf.Subject.CommonName)
	}
	return names
}

// checked asks for the proof first; whoever has none learns nothing about what else was wrong.
func (d *door) checked(ctx context.Context, name string, c Configured, r sources.Request) (answer, error) {
	if err := c.Auth.Check(ctx, r); err != nil {
		return answer{}, err
	}
	card := c.Source.Describe()
	if err := sources.CheckEnvelope(r, card.Media); err != nil {
		return answer{}, err
	}
	got, err := c.Source.Decode(ctx, r)
	var refusal *sources.RefusedError
	if errors.As(err, &refusal) && card.Keeps {
		got, err = unread(refusal.Reason, r), nil
	}
	switch {
	case err != nil:
		return answer{}, err
	case got.Ping:
		return answer{Status: "ignored", Reason: "the connection works"}, nil
	case got.Confirm != "":
		return d.confirm(ctx, name, c, got.Confirm)
	case got.Ignored != "":
		return answer{Status: "ignored", Reason: got.Ignored}, nil
	}
	return d.take(ctx, name, c, got, r)
}

// take stores all findings of a delivery, or none.
func (d *door) take(ctx context.Context, name string, c Configured, got sources.Delivery, r sources.Request) (answer, error) {
	for i := range got.Findings {
		d.fetch(ctx, name, c, &got.Findings[i])
		defer clear(got.Findings[i].Secret)
	}
	// From here on the sender's patience must not undo half of the work.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	finding, list, err := d.record(ctx, name, c.Trust, got, r)
	if err != nil {
		return answer{}, err
	}
	stored, err := d.o.Store.StoreAlerts(ctx, finding, list)
	if err != nil {
		return answer{}, err
	}
	out := answer{AlertID: stored[0].AlertID, Status: "duplicate"}
	for _, s := range stored {
		n := named{s.AlertID, "accepted"}
		if s.Duplicate {
			n.Status = "duplicate"
		} else {
			out.Status = "accepted"
		}
		if len(stored) > 1 {
			out.Alerts = append(out.Alerts, n)
		}
	}
	if out.Status == "accepted" {
		d.o.Wake()
	}
	return out, nil
}

// fetch adds the live value where the finding only points to it. A fetch that fails loses nothing: the alert is stored with
// its place, and identify fetches again. Resolved alerts are fetched too: only the value tells which incident they belong to.
func (d *door) fetch(ctx context.Context, name string, c Configured, f *sources.Decoded) {
	if len(f.Secret) > 0 || f.FetchLink == "" || c.Fetcher == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, d.o.FetchTimeout)
	defer cancel()
	secret, _, err := c.Fetcher.Fetch(ctx, f.FetchLink)
	if err != nil {
		d.o.Logger.Warn("the leaked value could not be read yet; the alert is stored without it", "source", name, "error", err.Error())
	}
	if f.Secret = secret; len(secret) == 0 {
		f.Alert.Key.Where = f.FetchLink
	}
}

// fateOf is the answer to a question about one alert.
type fateOf struct {
	AlertID string `json:"alert_id"`
	database.Fate
}

func (d *door) fate(w http.ResponseWriter, r *http.Request) {
	if d.o.Reader == nil || d.o.Reader.Check(r.Context(), sources.Request{Headers: r.Header}) != nil {
		problem(w, sources.ErrUnauthenticated)
		return
	}
	id := r.PathValue("id")
	f, err := d.o.Store.AlertFate(r.Context(), id)
	var missing *database.NotFoundError
	switch {
	case errors.As(err, &missing):
		problem(w, &sources.RefusedError{Status: http.StatusNotFound, Reason: "there is no alert with this id"})
	case err != nil:
		d.o.Logger.Error("fate not read", "error", err.Error())
		overloaded(w, "the alert could not be read just now")
	default:
		writeJSON(w, http.StatusOK, "application/json", fateOf{id, f})
	}
}
