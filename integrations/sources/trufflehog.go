package sources

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// TruffleHog decodes what `trufflehog --json` prints.
type TruffleHog struct{}

// NewTruffleHog returns the source.
func NewTruffleHog() TruffleHog { return TruffleHog{} }

// Name implements Source.
func (TruffleHog) Name() string { return "trufflehog" }

// truffle is one line of the report. Raw, RawV2 and SecretParts hold the live value.
type truffle struct {
	SourceMetadata struct {
		Data map[string]map[string]any
	}
	SourceName   string
	DetectorName string
	Verified     bool
	Raw          string
	RawV2        string
	Redacted     string
	SecretParts  map[string]string
}

// Decode implements Source.
func (TruffleHog) Decode(_ context.Context, r Request) (Delivery, error) {
	lines, err := reports(r.Body)
	if err != nil {
		return Delivery{}, err
	}
	out := Delivery{Headers: keep(r.Headers, "Content-Type", "User-Agent")}
	for i, line := range lines {
		var f truffle
		if err := decodeJSON(line, &f, false); err != nil {
			return Delivery{}, refuse("line %d: %s", i+1, err)
		}
		if f.DetectorName == "" { // the scanner also logs how it went
			continue
		}
		out.Findings = append(out.Findings, f.decoded(r))
	}
	if len(out.Findings) == 0 {
		out.Ignored = "the report holds no finding"
	}
	return out, nil
}

func (f truffle) decoded(r Request) Decoded {
	place, link := f.place()
	l := leak{
		scanner: "TruffleHog", what: f.DetectorName, place: place, value: f.Raw, verified: f.Verified,
		words: []string{f.DetectorName, f.SourceName, place}, links: links(link),
	}
	d := l.decoded(r)
	d.Also = append(d.Also, []byte(f.Raw), []byte(f.RawV2))
	for _, name := range slices.Sorted(maps.Keys(f.SecretParts)) {
		d.Also = append(d.Also, []byte(f.SecretParts[name]))
	}
	if d.accessKey(f.Raw); d.Alert.Key.ID != "" { // Raw is the id here and RawV2 both
		d.Secret, d.Also = nil, d.Also[1:]
		if secret := strings.TrimLeft(strings.TrimPrefix(f.RawV2, f.Raw), ":"); live(secret) {
			d.Secret, d.Also = []byte(secret), [][]byte{[]byte(secret)}
		}
	}
	return d
}

// place names where it was found: each kind of source calls the parts by its own names.
func (f truffle) place() (place, link string) {
	kinds := slices.Sorted(maps.Keys(f.SourceMetadata.Data))
	if len(kinds) == 0 {
		return "", ""
	}
	part := f.SourceMetadata.Data[kinds[0]]
	var words []string
	for _, name := range []string{"repository", "bucket", "image", "channel_name", "file", "path", "line", "commit", "tag", "timestamp"} {
		switch v := part[name].(type) {
		case string:
			if v != "" && name != "timestamp" {
				words = append(words, v)
			}
		case float64:
			words = append(words, fmt.Sprintf("line %.0f", v))
		}
	}
	text, _ := part["link"].(string)
	return cut(strings.Join(words, " "), 500), text
}

// Parts implements Splitter.
func (TruffleHog) Parts(report []byte) ([][]byte, error) { return parts(report) }

// Describe implements Source.
func (TruffleHog) Describe() Card {
	return Card{
		Name: "trufflehog", Path: "/v1/alerts/trufflehog", Kinds: []string{"key.leaked"}, Media: []string{mediaJSON, mediaLines},
		Summary: "TruffleHog: the lines that trufflehog --json prints. The live value is sealed at the door.",
		Auth:    "Authorization: Bearer TOKEN, or " + GenericSignature + ": sha256=<hex HMAC-SHA256 of the body>",
		Headers: []string{"Content-Type: " + mediaLines},
		SetUp: []string{
			"Run: trufflehog git URL --json --results=verified,unknown | tourniquet alert send --source trufflehog -",
			"Or post the lines to https://HOST/v1/alerts/trufflehog. A report larger than 1 MiB is sent in parts by alert send.",
			"Throw the report away afterwards: it holds live keys.",
		},
		Example: json.RawMessage(trufflehogExample),
	}
}

const trufflehogExample = `{"SourceMetadata":{"Data":{"Git":{"commit":"9f1c0de","file":"app.env","email":"dev@example.com","repository":"https://git.example/shop.git","timestamp":"2026-11-20 03:10:00 +0000","line":4}}},"SourceID":1,"SourceType":16,"SourceName":"trufflehog - git","DetectorType":1046,"DetectorName":"GoogleGemini","DecoderName":"PLAIN","Verified":true,"VerificationFromCache":false,"Raw":"example-of-a-leaked-value","RawV2":"","Redacted":"","ExtraData":null,"StructuredData":null}`
