package sources

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"mime"
	"net/http"
	"strings"
	"time"
)

// CloudEvents decodes events of version 1.0, structured, in a batch, or binary, whose data is our own format.
type CloudEvents struct{}

// NewCloudEvents returns the source.
func NewCloudEvents() CloudEvents { return CloudEvents{} }

const (
	mediaEvent = "application/cloudevents+json"
	mediaBatch = "application/cloudevents-batch+json"
)

// Name implements Source.
func (CloudEvents) Name() string { return "cloudevents" }

// event is the envelope. Extension attributes are welcome.
type event struct {
	Spec    string          `json:"specversion"`
	ID      string          `json:"id"`
	Source  string          `json:"source"`
	Type    string          `json:"type"`
	Subject string          `json:"subject"`
	Media   string          `json:"datacontenttype"`
	Time    time.Time       `json:"time"`
	Data    json.RawMessage `json:"data"`
	Base64  string          `json:"data_base64"`
}

// Decode implements Source.
func (CloudEvents) Decode(_ context.Context, r Request) (Delivery, error) {
	head := keep(r.Headers, "Content-Type", "User-Agent", "Ce-Id", "Ce-Source", "Ce-Type", "Ce-Subject")
	media, _, _ := mime.ParseMediaType(r.Headers.Get("Content-Type"))
	var events []event
	switch media {
	case mediaBatch:
		list, err := decodeList(r.Body)
		if err != nil {
			return Delivery{}, err
		}
		for _, raw := range list {
			var e event
			if err := decodeJSON(raw, &e, false); err != nil {
				return Delivery{}, err
			}
			events = append(events, e)
		}
		if len(events) == 0 {
			return ignored(head, "the batch is empty"), nil
		}
	case mediaEvent:
		events = make([]event, 1)
		if err := decodeJSON(r.Body, &events[0], false); err != nil {
			return Delivery{}, err
		}
	default:
		e, err := binaryEvent(r)
		if err != nil {
			return Delivery{}, err
		}
		events = []event{e}
	}
	out := Delivery{Headers: head}
	for i, e := range events {
		d, err := e.decoded(r.At)
		if err != nil {
			return Delivery{}, refuse("event %d: %s", i+1, err)
		}
		out.Findings = append(out.Findings, d)
	}
	return out, nil
}

// binaryEvent reads the attributes from headers; each may come once.
func binaryEvent(r Request) (event, error) {
	e := event{Data: r.Body, Media: mediaJSON}
	for _, a := range []struct {
		name string
		to   *string
	}{{"Ce-Specversion", &e.Spec}, {"Ce-Id", &e.ID}, {"Ce-Source", &e.Source}, {"Ce-Type", &e.Type}, {"Ce-Subject", &e.Subject}} {
		given := r.Headers.Values(a.name)
		if len(given) > 1 {
			return event{}, refuse("the header %s comes twice", a.name)
		}
		*a.to = r.Headers.Get(a.name)
	}
	if t := r.Headers.Get("Ce-Time"); t != "" {
		at, err := time.Parse(time.RFC3339, t)
		if err != nil {
			return event{}, refuse("the header Ce-Time is no time of RFC 3339")
		}
		e.Time = at
	}
	return e, nil
}

func (e event) decoded(at time.Time) (Decoded, error) {
	if e.Spec != "1.0" {
		return Decoded{}, refuse("specversion must be 1.0")
	}
	if e.ID == "" || e.Source == "" || e.Type == "" {
		return Decoded{}, refuse("id, source and type are required")
	}
	data := []byte(e.Data)
	if e.Base64 != "" {
		if len(data) > 0 {
			return Decoded{}, refuse("data and data_base64 exclude each other")
		}
		var err error
		if data, err = base64.StdEncoding.DecodeString(e.Base64); err != nil {
			return Decoded{}, refuse("data_base64 is not base64")
		}
	}
	if media, _, err := mime.ParseMediaType(e.Media); e.Media != "" && (err != nil || media != mediaJSON && !strings.HasSuffix(media, "+json")) {
		return Decoded{}, refuse("datacontenttype must be JSON")
	}
	var b genericBody
	if err := decodeJSON(data, &b, true); err != nil {
		return Decoded{}, err
	}
	// The event's own names stand in for what the data leaves out; source and id together are unique.
	b.ID = e.Source + "|" + e.ID
	if len(b.ID) > 200 {
		b.ID = digestOf(b.ID)
	}
	if b.Kind == "" {
		b.Kind = e.Type
	}
	if b.ObservedAt == nil && !e.Time.IsZero() {
		b.ObservedAt = &e.Time
	}
	d, err := b.decoded(at)
	if e.Subject != "" {
		d.Thread = digestOf(e.Source + "|" + e.Subject)
	}
	return d, err
}

// Handshake answers the abuse protection of the CloudEvents webhook specification: the sender asks before it sends. It
// permits no more than asking: every delivery still needs its proof.
func (CloudEvents) Handshake(asked http.Header) (http.Header, bool) {
	origin := asked.Get("WebHook-Request-Origin")
	if origin == "" || len(origin) > 255 || strings.ContainsAny(origin, "\r\n") {
		return nil, false
	}
	return http.Header{"Webhook-Allowed-Origin": {origin}, "Webhook-Allowed-Rate": {"*"}, "Allow": {"POST, OPTIONS"}}, true
}

// Describe implements Source.
func (CloudEvents) Describe() Card {
	return Card{
		Name: "cloudevents", Path: "/v1/alerts/cloudevents", Kinds: alertKinds, Media: []string{mediaEvent, mediaBatch, mediaJSON},
		Summary: "CloudEvents 1.0 over HTTP, structured, batched or binary; data is the generic format.",
		Auth:    "Authorization: Bearer TOKEN, or " + GenericSignature + ": sha256=<hex HMAC-SHA256 of the body>",
		Headers: []string{"Content-Type: " + mediaEvent},
		SetUp: []string{
			"Post to https://HOST/v1/alerts/cloudevents; OPTIONS with WebHook-Request-Origin is answered, as the specification wants.",
			"type is the kind (key.leaked, usage.anomaly, spend.threshold, alert.resolved) unless data.kind names it; data.id may be left out.",
			"source and id make it the same event; source and subject make it the same matter, so that a later event joins.",
		},
		Fields:  Generic{}.Describe().Fields,
		Example: json.RawMessage(cloudEventExample),
	}
}

const cloudEventExample = `{
  "specversion": "1.0", "id": "scan-7841", "source": "https://scanner.example/", "type": "key.leaked", "time": "2026-11-20T03:12:00Z",
  "subject": "notebook-12", "datacontenttype": "application/json",
  "data": {"title": "Gemini key in a public notebook", "severity": "critical", "key": {"provider": "gemini", "account": "prod", "hint": "AIza…9xQ2"}}
}`
