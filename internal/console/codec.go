package console

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/tourniquet-ir/tourniquet/internal/api"
	"github.com/tourniquet-ir/tourniquet/internal/people"
)

// Codec opens payloads for the engine's own pages and command line, which speak Temporal's remote codec protocol. It opens
// and never seals: nobody needs to put payloads of their own making before a workflow.
type Codec struct {
	Codec     converter.PayloadCodec
	Namespace string   // whose payloads; a caller that names another one is refused
	Origins   []string // of the pages that may ask from a browser, as https://temporal.example.com
}

// CodecPath is what people give to those tools as the codec's endpoint.
const CodecPath = "/codec"

const (
	maxPayloads     = 1_000
	maxPayloadsBody = 8 << 20 // bytes of a request; one payload has 2 MiB at most, and a third more in base64
	maxCodecCalls   = 4       // at once, so that all of them together need bounded memory
	codecWait       = 10 * time.Second
)

type codecDoor struct {
	*Console
	turns chan struct{}
}

func (c *Console) codecDoor() http.Handler {
	return c.headers(codecDoor{c, make(chan struct{}, maxCodecCalls)}, maxPayloadsBody)
}

func (d codecDoor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Add("Vary", "Origin")
	origin := r.Header.Get("Origin")
	if origin != "" {
		if !slices.Contains(d.Codec.Origins, origin) {
			api.Refuse(w, api.Fault(http.StatusForbidden, "origin", "This page may not ask here; an operator lists pages under temporal.ui_origins."))
			return
		}
		w.Header().Set("Access-Control-Allow-Origin", origin)
		w.Header().Set("Access-Control-Allow-Credentials", "true")
	}
	switch {
	case r.URL.Path != CodecPath+"/decode":
		api.Refuse(w, api.Fault(http.StatusNotFound, "not_found", "Payloads are opened at "+CodecPath+"/decode. They are not made here for others."))
	case r.Method == http.MethodOptions && origin != "":
		w.Header().Set("Access-Control-Allow-Methods", http.MethodPost)
		w.Header().Set("Access-Control-Allow-Headers", "Authorization, Content-Type, X-Namespace")
		w.Header().Set("Access-Control-Max-Age", "600")
		w.WriteHeader(http.StatusNoContent)
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", http.MethodPost)
		api.Refuse(w, api.Fault(http.StatusMethodNotAllowed, "method", "Send payloads with POST."))
	default:
		d.answer(w, r, origin)
	}
}

func (d codecDoor) answer(w http.ResponseWriter, r *http.Request, origin string) {
	s, err := d.reader(r, origin)
	if err != nil {
		api.Refuse(w, err)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), codecWait)
	defer cancel()
	select {
	case d.turns <- struct{}{}:
		defer func() { <-d.turns }()
	case <-ctx.Done():
		w.Header().Set("Retry-After", "1")
		api.Refuse(w, api.Fault(http.StatusServiceUnavailable, "busy", "Too many payloads are being opened at once. Ask again in a moment."))
		return
	}
	opened, err := d.decode(r, s)
	if err != nil {
		api.Refuse(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(opened) //nolint:gosec // JSON, said to be so and not to be guessed; who went away does not need the rest
}

// reader lets in whoever may read workflow histories: by personal token, or by the session of a browser that a listed page
// runs in. The cookie is SameSite=Strict, so that page has to lie under our own registrable domain.
func (d codecDoor) reader(r *http.Request, origin string) (session, error) {
	var s session
	var ok bool
	var refusal string
	var err error
	if r.Header.Get("Authorization") != "" {
		var bearer bool
		s, bearer, ok, refusal, err = d.caller(r)
		ok = ok && bearer
	} else if origin != "" {
		s, ok, err = d.find(r)
	}
	switch {
	case err != nil:
		return s, d.apiFault(err)
	case !ok || s.link:
		return s, api.Fault(http.StatusUnauthorized, "not_authenticated", cmp.Or(refusal,
			"Sign in to the console in this browser first, or send your personal token as “Authorization: Bearer …”. Tokens of other services are not taken."))
	case !s.may(people.SeeDetail):
		return s, api.Fault(http.StatusForbidden, "role", notForRole)
	}
	if asked := r.Header.Get("X-Namespace"); asked != "" && asked != d.Codec.Namespace {
		return s, api.Fault(http.StatusForbidden, "namespace", fmt.Sprintf("Payloads of the namespace %q are opened here, and of no other.", d.Codec.Namespace))
	}
	return s, nil
}

// decode opens all payloads of a request or none. Before it hands them out it writes down to whom.
func (d codecDoor) decode(r *http.Request, s session) ([]byte, error) {
	sealed, err := payloads(r)
	if err != nil {
		return nil, err
	}
	opened, err := d.Codec.Codec.Decode(sealed)
	if err != nil {
		return nil, api.Fault(http.StatusBadRequest, "not_ours", "Nothing was opened: "+err.Error()+".")
	}
	who := cmp.Or(s.person.ID, s.person.Subject)
	if err := d.DB.NotePayloadsRead(r.Context(), who, d.Now()); err != nil {
		return nil, d.apiFault(err)
	}
	d.Logger.Info("workflow payloads were opened", "person", who, "payloads", len(opened))
	out, err := protojson.Marshal(&commonpb.Payloads{Payloads: opened})
	if err != nil {
		return nil, d.apiFault(fmt.Errorf("writing opened payloads: %w", err))
	}
	return out, nil
}

// payloads reads a request. What it says of faults names none of its content.
func payloads(r *http.Request) ([]*commonpb.Payload, error) {
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "application/json" {
		return nil, api.Fault(http.StatusUnsupportedMediaType, "media_type", "Send JSON with “Content-Type: application/json”.")
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, api.Fault(http.StatusRequestEntityTooLarge, "too_large", fmt.Sprintf("The payloads did not arrive whole, or have more than %d bytes.", maxPayloadsBody))
	}
	tooMany := api.Fault(http.StatusRequestEntityTooLarge, "too_large", fmt.Sprintf("There are more than %d payloads.", maxPayloads))
	// Counted before it is decoded: small objects and fields take many times their text in memory.
	if bytes.Count(body, []byte("{")) > 4*maxPayloads || bytes.Count(body, []byte(`"`)) > 40*maxPayloads {
		return nil, tooMany
	}
	var in commonpb.Payloads
	if protojson.Unmarshal(body, &in) != nil {
		return nil, api.Fault(http.StatusBadRequest, "malformed", "The body is not a list of payloads as Temporal's codec protocol writes it.")
	}
	if len(in.GetPayloads()) > maxPayloads {
		return nil, tooMany
	}
	return in.GetPayloads(), nil
}
