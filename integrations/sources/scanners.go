package sources

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// Scanners write the live value into their reports. What they share is here; the formats are in their own files.

const mediaLines = "application/x-ndjson"

// maxReport is how many findings with live values one delivery may hold: each is looked for in all of it.
const maxReport = 200

// Splitter is a source whose reports may be larger than one delivery.
type Splitter interface {
	Parts(report []byte) ([][]byte, error)
}

// parts cuts a report into deliveries, one finding a line.
func parts(report []byte) ([][]byte, error) {
	var list []json.RawMessage
	if t := bytes.TrimSpace(report); len(t) > 0 && t[0] == '[' {
		if err := json.Unmarshal(t, &list); err != nil {
			return nil, errors.New("the report is not well-formed JSON")
		}
	} else {
		d := json.NewDecoder(bytes.NewReader(t))
		for {
			var one json.RawMessage
			err := d.Decode(&one)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return nil, fmt.Errorf("finding %d of the report is not well-formed JSON", len(list)+1)
			}
			list = append(list, one)
		}
	}
	var out [][]byte
	var now bytes.Buffer
	n := 0
	flush := func() {
		if n > 0 {
			out, n = append(out, bytes.Clone(now.Bytes())), 0
			now.Reset()
		}
	}
	for _, raw := range list {
		if n == maxReport || now.Len()+len(raw) > MaxBody-2 {
			flush()
		}
		if err := json.Compact(&now, raw); err != nil {
			return nil, errors.New("the report is not well-formed JSON")
		}
		now.WriteByte('\n')
		n++
	}
	flush()
	return out, nil
}

// reports splits what a scanner wrote: one object per line, a single object, or an array of them.
func reports(body []byte) ([]json.RawMessage, error) {
	trimmed := bytes.TrimSpace(body)
	if len(trimmed) > 0 && trimmed[0] == '[' {
		list, err := decodeList(trimmed)
		if err == nil && len(list) > maxReport {
			err = refuse("the report holds more than %d findings; send it in parts, as alert send does", maxReport)
		}
		return list, err
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
		if len(out) > maxReport {
			return nil, refuse("the report holds more than %d findings; send it in parts, as alert send does", maxReport)
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
