package sources

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// Scanners write the live value into their reports. What they share is here; the formats are in their own files.

const mediaLines = "application/x-ndjson"

// reports splits what a scanner wrote: one object per line, a single object, or an array of them.
func reports(body []byte) ([]json.RawMessage, error) {
	trimmed := bytes.TrimSpace(body)
	if len(trimmed) > 0 && trimmed[0] == '[' {
		return decodeList(trimmed)
	}
	var out []json.RawMessage
	for line := range bytes.Lines(trimmed) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			continue
		}
		if err := checkShape(line, false); err != nil {
			if len(out) == 0 { // not one object per line, so it may be one object over many lines
				return []json.RawMessage{trimmed}, checkShape(trimmed, false)
			}
			return nil, refuse("line %d: %s", len(out)+1, err)
		}
		out = append(out, json.RawMessage(line))
		if err := tooMany(len(out)); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// maxSecret is the longest value that is sealed, and minSecretText the shortest that is believed to be a key.
const (
	maxSecretText = 8192
	minSecretText = 8
)

// live reports whether a text of a report is the value itself, and not a place-holder that the scanner put there.
func live(s string) bool {
	t := strings.ToUpper(strings.TrimSpace(s))
	return len(s) >= minSecretText && len(s) <= maxSecretText && t != "REDACTED" && !strings.Contains(s, "***") && !strings.Contains(s, "…")
}

// leak is one finding of a scanner.
type leak struct {
	scanner, what, place, value string
	verified                    bool
	words                       []string // what makes two reports the same finding, the value aside
	links                       []string
}

func (l leak) decoded(r Request) Decoded {
	severity := "high"
	if l.verified {
		severity = "critical"
	}
	d := Decoded{PerSecret: true, Alert: incident.Alert{
		Kind: incident.KindKeyLeaked, Severity: severity, Title: title("%s: %s in %s", l.scanner, orElse(l.what, "a secret"), orElse(l.place, "an unnamed place")),
		Fingerprint: strings.Join(l.words, "|"), ObservedAt: r.At.UTC(), Key: incident.Clue{Provider: named(l.what)}, Links: l.links,
	}}
	if live(l.value) {
		d.Secret = []byte(l.value)
	}
	return d
}

// accessKey moves the id of an AWS access key, which is no secret, to where ids stand.
func (d *Decoded) accessKey(id string) {
	if len(id) >= 16 && len(id) <= 128 && (strings.HasPrefix(id, "AKIA") || strings.HasPrefix(id, "ASIA")) {
		d.Alert.Key.Provider, d.Alert.Key.ID = "bedrock", id
	}
}

func digestOf(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}
