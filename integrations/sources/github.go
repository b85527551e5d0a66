package sources

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// Events of GitHub that say something about a key.
const (
	eventAlert    = "secret_scanning_alert"
	eventLocation = "secret_scanning_alert_location"
)

// GitHub decodes secret-scanning webhooks. The structs are our own: go-github v60 lacks half of the fields.
type GitHub struct{}

// NewGitHub returns the source.
func NewGitHub() GitHub { return GitHub{} }

// Name implements Source.
func (GitHub) Name() string { return "github" }

type githubBody struct {
	Action string `json:"action"`
	Alert  *struct {
		Number      int64     `json:"number"`
		URL         string    `json:"url"`
		HTMLURL     string    `json:"html_url"`
		CreatedAt   time.Time `json:"created_at"`
		UpdatedAt   string    `json:"updated_at"` // null on a fresh alert; only compared, never reckoned with
		Resolution  string    `json:"resolution"`
		SecretType  string    `json:"secret_type"`
		Display     string    `json:"secret_type_display_name"`
		Validity    string    `json:"validity"`
		PublicLeak  bool      `json:"publicly_leaked"`
		HasMoreRepo bool      `json:"multi_repo"`
	} `json:"alert"`
	Location   json.RawMessage `json:"location"` // its details differ by type and grow: kept as they come
	Repository *struct {
		FullName string `json:"full_name"`
	} `json:"repository"`
}

// Decode implements Source. Fields that we do not know are welcome: GitHub adds some every month.
func (GitHub) Decode(_ context.Context, r Request) (Delivery, error) {
	event := r.Headers.Get("X-GitHub-Event")
	head := keep(r.Headers, "Content-Type", "User-Agent", "X-GitHub-Event", "X-GitHub-Delivery")
	switch event {
	case "":
		return Delivery{}, refuse("the header X-GitHub-Event is missing")
	case "ping":
		return Delivery{Ping: true, Headers: head}, nil
	case eventAlert, eventLocation:
	default:
		return ignored(head, "the event %q says nothing about a key", cut(event, 60)), nil
	}
	var b githubBody
	if err := decodeJSON(r.Body, &b, false); err != nil {
		return Delivery{}, err
	}
	if b.Alert == nil || b.Alert.Number < 1 || b.Repository == nil || b.Repository.FullName == "" || b.Action == "" {
		return Delivery{}, refuse("the %s event needs action, alert.number and repository.full_name", event)
	}
	if b.Alert.URL == "" && b.Alert.HTMLURL == "" {
		return Delivery{}, refuse("the %s event needs alert.url or alert.html_url", event)
	}
	kind, severity := b.meaning(event)
	if kind == "" {
		return ignored(head, "the action %q changes nothing about a key", cut(b.Action, 60)), nil
	}
	return one(b.decoded(event, kind, severity, r.At), head), nil
}

func (b githubBody) meaning(event string) (kind, severity string) {
	severity = "high"
	switch {
	case b.Alert.Validity == "inactive":
		severity = "low"
	case b.Alert.Validity == "active", b.Alert.PublicLeak, b.Action == "publicly_leaked":
		severity = "critical"
	}
	if event == eventLocation && b.Action == "created" {
		return incident.KindKeyLeaked, severity
	}
	switch b.Action {
	case "created", "publicly_leaked", "validated", "reopened":
		return incident.KindKeyLeaked, severity
	case "resolved", "revoked":
		return incident.KindResolved, "low"
	}
	return "", ""
}

func (b githubBody) decoded(event, kind, severity string, at time.Time) Decoded {
	what := b.Alert.Display
	if what == "" {
		what = b.Alert.SecretType
	}
	said := fmt.Sprintf("GitHub: %s in %s, alert %d %s", what, b.Repository.FullName, b.Alert.Number, strings.ReplaceAll(b.Action, "_", " "))
	if event == eventLocation {
		said = fmt.Sprintf("GitHub: %s of alert %d found in another place of %s", what, b.Alert.Number, b.Repository.FullName)
	}
	d := Decoded{Thread: fmt.Sprintf("%s#%d", b.Repository.FullName, b.Alert.Number), Alert: incident.Alert{
		Kind: kind, Severity: severity, Title: title("%s", said), ObservedAt: seen(b.Alert.CreatedAt, at),
		Fingerprint: b.fingerprint(event),
		Key:         incident.Clue{Provider: ProviderOf(b.Alert.SecretType)},
	}}
	for _, l := range []string{b.Alert.HTMLURL, b.Alert.URL} {
		if webLink(l) {
			d.Alert.Links = append(d.Alert.Links, l)
			d.FetchLink = l // the API's own address, which comes last, is the better one
		}
	}
	return d
}

// fingerprint tells a delivery that GitHub repeats from a new turn of the same alert.
func (b githubBody) fingerprint(event string) string {
	turn := b.Alert.UpdatedAt
	if event == eventLocation {
		sum := sha256.Sum256(b.Location)
		turn = hex.EncodeToString(sum[:])
	}
	return strings.Join([]string{event, b.Repository.FullName, strconv.FormatInt(b.Alert.Number, 10), b.Action, turn}, "|")
}

// Describe implements Source.
func (GitHub) Describe() Card {
	return Card{
		Name: "github", Path: "/v1/alerts/github", Media: []string{mediaJSON}, Kinds: []string{incident.KindKeyLeaked, incident.KindResolved},
		Summary: "GitHub secret scanning: alerts and their locations, for repositories and organisations.",
		Auth:    GitHubSignature + ": sha256=<hex HMAC-SHA256 of the body> with the webhook's secret",
		Headers: []string{"Content-Type: application/json", "X-GitHub-Event", "X-GitHub-Delivery"},
		SetUp: []string{
			"Add a webhook with content type application/json, a secret, and the events \"Secret scanning alerts\" and \"Secret scanning alert locations\".",
			"Give the GitHub token of tourniquet.yaml the permission to read secret-scanning alerts: the webhook never carries the value.",
		},
		Example: json.RawMessage(githubExample),
	}
}

const githubExample = `{
  "action": "created",
  "alert": {
    "number": 42,
    "created_at": "2026-11-20T03:12:00Z",
    "url": "https://api.github.com/repos/acme/shop/secret-scanning/alerts/42",
    "html_url": "https://github.com/acme/shop/security/secret-scanning/42",
    "secret_type": "google_api_key",
    "secret_type_display_name": "Google API Key",
    "validity": "active",
    "publicly_leaked": true
  },
  "repository": {"full_name": "acme/shop"}
}`
