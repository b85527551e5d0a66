package sources

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
)

// Gitleaks decodes the JSON report of gitleaks.
type Gitleaks struct{}

// NewGitleaks returns the source.
func NewGitleaks() Gitleaks { return Gitleaks{} }

// Name implements Source.
func (Gitleaks) Name() string { return "gitleaks" }

// gitleak is one finding. Secret and Match hold the live value unless gitleaks ran with --redact.
type gitleak struct {
	RuleID      string
	Description string
	StartLine   int
	StartColumn int
	Match       string
	Secret      string
	File        string
	Commit      string
	Link        string
	Fingerprint string
}

// Decode implements Source.
func (Gitleaks) Decode(_ context.Context, r Request) (Delivery, error) {
	list, err := reports(r.Body)
	if err != nil {
		return Delivery{}, err
	}
	out := Delivery{Headers: keep(r.Headers, "Content-Type", "User-Agent")}
	for i, raw := range list {
		var f gitleak
		if err := decodeJSON(raw, &f, false); err != nil {
			return Delivery{}, refuse("finding %d: %s", i+1, err)
		}
		if f.RuleID == "" {
			return Delivery{}, refuse("finding %d has no RuleID; this is the JSON of gitleaks detect --report-format json", i+1)
		}
		out.Findings = append(out.Findings, f.decoded(r))
	}
	if len(out.Findings) == 0 {
		out.Ignored = "the report holds no finding"
	}
	return out, nil
}

func (f gitleak) decoded(r Request) Decoded {
	l := leak{
		scanner: "Gitleaks", what: f.RuleID, place: fmt.Sprintf("%s line %d", cut(f.File, 200), f.StartLine), value: f.Secret, links: links(f.Link),
		words: []string{orElse(f.Fingerprint, f.Commit+":"+f.File+":"+f.RuleID), strconv.Itoa(f.StartLine), strconv.Itoa(f.StartColumn)},
	}
	d := l.decoded(r)
	d.accessKey(f.Secret)
	if d.Alert.Key.ID != "" { // this rule finds the id alone, which is no secret
		d.Secret = nil
	}
	return d
}

// Parts implements Splitter.
func (Gitleaks) Parts(report []byte) ([][]byte, error) { return parts(report) }

// Describe implements Source.
func (Gitleaks) Describe() Card {
	return Card{
		Name: "gitleaks", Path: "/v1/alerts/gitleaks", Kinds: []string{"key.leaked"}, Media: []string{mediaJSON, mediaLines},
		Summary: "Gitleaks: its JSON report. The live value is sealed at the door.",
		Auth:    "Authorization: Bearer TOKEN, or " + GenericSignature + ": sha256=<hex HMAC-SHA256 of the body>",
		Headers: []string{"Content-Type: application/json"},
		SetUp: []string{
			"Run: gitleaks git --report-format json --report-path report.json; then: tourniquet alert send --source gitleaks report.json",
			"Without --redact the key is known by its value, which joins what other sources say of it; with it only people can tell which key it is.",
			"Throw the report away afterwards: it holds live keys.",
		},
		Example: json.RawMessage(gitleaksExample),
	}
}

const gitleaksExample = `[
 {
  "RuleID": "gcp-api-key", "Description": "Uncovered a GCP API key", "StartLine": 4, "EndLine": 4, "StartColumn": 12, "EndColumn": 50,
  "Match": "GEMINI_KEY=example-of-a-leaked-value", "Secret": "example-of-a-leaked-value", "File": "app.env", "SymlinkFile": "",
  "Commit": "9f1c0de", "Link": "https://git.example/shop/blob/9f1c0de/app.env#L4", "Entropy": 4.3, "Author": "Dev", "Email": "dev@example.com",
  "Date": "2026-11-20T03:10:00Z", "Message": "settings", "Tags": [], "Fingerprint": "9f1c0de:app.env:gcp-api-key:4"
 }
]`
