package sources

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

var (
	alertKinds = []string{incident.KindKeyLeaked, incident.KindUsageAnomaly, incident.KindSpend, incident.KindResolved}
	severities = []string{"low", "medium", "high", "critical"}
)

// Generic is our own format, for anything that can post JSON.
type Generic struct{}

// NewGeneric returns the source.
func NewGeneric() Generic { return Generic{} }

// Name implements Source.
func (Generic) Name() string { return "generic" }

type genericBody struct {
	ID         string     `json:"id"`
	Kind       string     `json:"kind"`
	Severity   string     `json:"severity"`
	Title      string     `json:"title"`
	ObservedAt *time.Time `json:"observed_at"`
	Key        genericKey `json:"key"`
	Links      []string   `json:"links"`
}

type genericKey struct {
	Provider string `json:"provider"`
	Account  string `json:"account"`
	ID       string `json:"id"`
	Hint     string `json:"hint"`
	Secret   string `json:"secret"`
}

// Decode implements Source. Unknown fields, repeated keys and anything behind the object are refused.
func (Generic) Decode(_ context.Context, r Request) (Delivery, error) {
	var b genericBody
	if err := decodeJSON(r.Body, &b, true); err != nil {
		return Delivery{}, err
	}
	d, err := b.decoded(r.At)
	if err != nil {
		return Delivery{}, err
	}
	return one(d, keep(r.Headers, "Content-Type", "User-Agent")), nil
}

// decoded is the finding, when it keeps the rules of our own format.
func (b genericBody) decoded(at time.Time) (Decoded, error) {
	if err := b.check(); err != nil {
		return Decoded{}, err
	}
	if b.Severity == "" {
		b.Severity = "high"
	}
	d := Decoded{Alert: incident.Alert{
		Kind: b.Kind, Severity: b.Severity, Title: b.Title, Fingerprint: b.ID, ObservedAt: at.UTC(),
		Key:   incident.Clue{Provider: b.Key.Provider, Account: b.Key.Account, ID: b.Key.ID, Hint: b.Key.Hint},
		Links: b.Links,
	}}
	if b.ObservedAt != nil {
		d.Alert.ObservedAt = seen(*b.ObservedAt, at)
	}
	if b.Key.Secret != "" {
		d.Secret = []byte(b.Key.Secret)
	}
	return d, nil
}

func (b genericBody) check() error {
	switch {
	case strings.TrimSpace(b.ID) == "":
		return refuse("the field \"id\" is missing: your own id of the finding, the same when you send it again")
	case !slices.Contains(alertKinds, b.Kind):
		return refuse("the field \"kind\" must be one of %s", strings.Join(alertKinds, ", "))
	case b.Severity != "" && !slices.Contains(severities, b.Severity):
		return refuse("the field \"severity\" must be one of %s", strings.Join(severities, ", "))
	case strings.TrimSpace(b.Title) == "":
		return refuse("the field \"title\" is missing: one line for people")
	case len(b.Links) > 10:
		return refuse("the field \"links\" has more than 10 entries")
	}
	for _, f := range []struct {
		name, value string
		limit       int
	}{
		{"id", b.ID, 200}, {"title", b.Title, 500}, {"key.provider", b.Key.Provider, 60}, {"key.account", b.Key.Account, 200},
		{"key.id", b.Key.ID, 500}, {"key.hint", b.Key.Hint, 60}, {"key.secret", b.Key.Secret, 8192},
	} {
		if len(f.value) > f.limit {
			return refuse("the field %q is longer than %d bytes", f.name, f.limit)
		}
	}
	if s := b.Key.Secret; s != "" && len(s) < 8 {
		return refuse("the field \"key.secret\" is too short to be a key")
	}
	for _, l := range b.Links {
		if !webLink(l) {
			return refuse("the field \"links\" has an entry that is not an http or https address of at most 2,000 bytes")
		}
	}
	return nil
}

func webLink(s string) bool {
	u, err := url.Parse(s)
	return err == nil && len(s) <= 2000 && u.Host != "" && u.User == nil && (u.Scheme == "https" || u.Scheme == "http")
}

// Describe implements Source.
func (Generic) Describe() Card {
	return Card{
		Name: "generic", Path: "/v1/alerts/generic", Kinds: alertKinds, Media: []string{mediaJSON},
		Summary: "Our own JSON, for anything that can post it: scanners, gateways, budgets, scripts.",
		Auth:    "Authorization: Bearer TOKEN, or " + GenericSignature + ": sha256=<hex HMAC-SHA256 of the body>",
		Headers: []string{"Content-Type: application/json"},
		SetUp: []string{
			"Post one JSON object per finding. 202 means that it is stored; on 503 send it again after Retry-After.",
			"Send key.secret only when you have nothing better: it is sealed at the door and blackened in what is kept.",
		},
		Fields: []Field{
			{"id", "your own id of the finding, the same when you send it again", true},
			{"kind", "one of " + strings.Join(alertKinds, ", "), true},
			{"title", "one line for people", true},
			{"severity", "one of " + strings.Join(severities, ", ") + "; high when left out", false},
			{"observed_at", "when it was seen, RFC 3339; the time of arrival when left out", false},
			{"key.provider", "who issued the key: gemini, openai, …", false},
			{"key.account", "the account as tourniquet.yaml names it", false},
			{"key.id", "the provider's id of the key", false},
			{"key.hint", "first and last characters", false},
			{"key.secret", "the leaked value", false},
			{"links", "at most 10 http or https addresses", false},
		},
		Example: json.RawMessage(genericExample),
	}
}

const genericExample = `{
  "id": "scan-7841",
  "kind": "key.leaked",
  "severity": "critical",
  "title": "Gemini key in a public notebook",
  "observed_at": "2026-11-20T03:12:00Z",
  "key": {"provider": "gemini", "account": "prod", "id": "projects/1/locations/global/keys/2", "hint": "AIza…9xQ2"},
  "links": ["https://scanner.example/findings/7841"]
}`
