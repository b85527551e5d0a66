package evidence_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"testing"

	"github.com/tourniquet-ir/tourniquet/internal/database/chain"
	"github.com/tourniquet-ir/tourniquet/internal/evidence"
)

// mutation spoils a good bundle; kind is what the verifier must call it.
type mutation struct {
	kind string
	do   func(*desk)
}

// redacted spoils a redacted bundle instead.
func redacted(do func(*desk)) func(*desk) {
	return func(d *desk) {
		d.write(&evidence.Redaction{Keep: []string{"report.*"}})
		do(d)
	}
}

func add(name string) func(*desk) {
	return func(d *desk) { d.files = append(d.files, part{name: name, body: []byte("x")}) }
}

// insert puts bytes before the first mark, and mends the end record so that the directory is found again.
func insert(raw []byte, mark string, more []byte) []byte {
	at := bytes.Index(raw, []byte(mark))
	out := append(append(append([]byte(nil), raw[:at]...), more...), raw[at:]...)
	binary.LittleEndian.PutUint32(out[len(out)-6:], uint32(at+len(more)))
	return out
}

func mutations(t *testing.T) map[string]mutation {
	t.Helper()
	_, stranger, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]mutation{}
	for _, m := range []map[string]mutation{filesSpoiled(), ledgerSpoiled(), signatureSpoiled(stranger), namesSpoiled(), layoutSpoiled(), redactedSpoiled()} {
		maps.Copy(out, m)
	}
	return out
}

func filesSpoiled() map[string]mutation {
	return map[string]mutation{
		"evidence changed": {evidence.Changed, func(d *desk) { d.replace("evidence/usage.json", "12.50", "02.50") }},
		"evidence cut":     {evidence.Changed, func(d *desk) { d.replace("report.md", "happened", "") }},
		"evidence grown":   {evidence.Changed, func(d *desk) { d.replace("report.md", "happened", "happened not") }},
		"evidence swapped": {evidence.Changed, func(d *desk) {
			a, b := d.part("report.md"), d.part("evidence/usage.json")
			a.body, b.body = b.body, a.body
		}},
		"evidence a bomb":  {evidence.Changed, func(d *desk) { d.part("report.md").body = make([]byte, 64<<20) }},
		"evidence removed": {evidence.Removed, func(d *desk) { d.drop("report.md") }},
		"evidence renamed": {evidence.Removed, func(d *desk) { d.part("report.md").name = "other.md" }},
		"file added":       {evidence.Added, add("evidence/more.json")},
		"comment added":    {evidence.Added, func(d *desk) { d.comment = "read me" }},
	}
}

func ledgerSpoiled() map[string]mutation {
	return map[string]mutation{
		"ledger reordered":                {evidence.Reordered, func(d *desk) { d.lines(func(l []string) []string { return []string{l[0], l[2], l[1], l[3], l[4]} }) }},
		"ledger cut off":                  {evidence.CutOff, func(d *desk) { d.lines(func(l []string) []string { return l[:3] }) }},
		"ledger emptied":                  {evidence.CutOff, func(d *desk) { d.part("ledger.jsonl").body = nil }},
		"ledger entry missing":            {evidence.LedgerMissing, func(d *desk) { d.lines(func(l []string) []string { return append(l[:1], l[2:]...) }) }},
		"ledger entry repeated":           {evidence.Added, func(d *desk) { d.lines(func(l []string) []string { return append(l, l[4]) }) }},
		"ledger body changed":             {evidence.LedgerChanged, func(d *desk) { d.replace("ledger.jsonl", `"n":3`, `"n":4`) }},
		"ledger actor changed":            {evidence.LedgerChanged, func(d *desk) { d.replace("ledger.jsonl", `"system"`, `"nobody"`) }},
		"ledger field smuggled":           {evidence.LedgerChanged, func(d *desk) { d.replace("ledger.jsonl", `{"run"`, `{"note":"x","run"`) }},
		"ledger field twice":              {evidence.LedgerChanged, func(d *desk) { d.replace("ledger.jsonl", `{"run"`, `{"actor":"x","run"`) }},
		"ledger reversed":                 {evidence.Reordered, func(d *desk) { d.lines(func(l []string) []string { return []string{l[4], l[3], l[2], l[1], l[0]} }) }},
		"ledger removed":                  {evidence.Removed, func(d *desk) { d.drop("ledger.jsonl") }},
		"ledger cut off and signed again": {evidence.CutOff, func(d *desk) { d.lines(func(l []string) []string { return l[:4] }); d.resign(d.priv) }},
		"ledger body blanked and signed again": {evidence.LedgerChanged, func(d *desk) {
			d.lines(func(l []string) []string {
				var r chain.Row
				if err := json.Unmarshal([]byte(l[1]), &r); err != nil {
					panic(err)
				}
				r.Salt, r.Body = nil, nil
				b, _ := json.Marshal(r)
				l[1] = string(b) + "\n"
				return l
			})
			d.resign(d.priv)
		}},
		"ledger of another run": {evidence.LedgerChanged, func(d *desk) { d.replace("manifest.json", `"run-1"`, `"run-2"`); d.resign(d.priv) }},
	}
}

func signatureSpoiled(stranger ed25519.PrivateKey) map[string]mutation {
	return map[string]mutation{
		"manifest changed":     {evidence.BadSignature, func(d *desk) { d.replace("manifest.json", `"run-1"`, `"run-2"`) }},
		"manifest spaced":      {evidence.BadSignature, func(d *desk) { d.replace("manifest.json", "{", "{ ") }},
		"manifest removed":     {evidence.Removed, func(d *desk) { d.drop("manifest.json") }},
		"manifest a bomb":      {evidence.TooLarge, func(d *desk) { d.part("manifest.json").body = make([]byte, 64<<20) }},
		"manifest of tomorrow": {evidence.BadFormat, func(d *desk) { d.replace("manifest.json", "bundle/v1", "bundle/v2"); d.sign(d.priv) }},
		"signature removed":    {evidence.Removed, func(d *desk) { d.drop("manifest.sig") }},
		"signature changed":    {evidence.BadSignature, func(d *desk) { d.part("manifest.sig").body[3] ^= 1 }},
		"signature empty":      {evidence.BadSignature, func(d *desk) { d.part("manifest.sig").body = nil }},
		"signed by a stranger": {evidence.BadSignature, func(d *desk) { d.resign(stranger) }},
		"signed without domain": {evidence.BadSignature, func(d *desk) {
			d.part("manifest.sig").body = []byte(base64.StdEncoding.EncodeToString(ed25519.Sign(d.priv, d.part("manifest.json").body)))
		}},
		"key not trusted": {evidence.UnknownKey, func(d *desk) { d.replace("manifest.json", "export-1", "export-2"); d.resign(stranger) }},
	}
}

func namesSpoiled() map[string]mutation {
	return map[string]mutation{
		"name twice":              {evidence.Duplicate, add("report.md")},
		"name twice but for case": {evidence.Duplicate, add("REPORT.md")},
		"path upwards":            {evidence.BadPath, add("../report.md")},
		"path absolute":           {evidence.BadPath, add("/etc/motd")},
		"path with backslash":     {evidence.BadPath, add(`evidence\more.json`)},
		"path of a drive":         {evidence.BadPath, add("C:motd")},
		"path with bidi":          {evidence.BadPath, add("report\u202egnp.md")},
		"folder":                  {evidence.BadPath, add("folder/")},
		"link":                    {evidence.BadPath, func(d *desk) { d.part("report.md").link = true }},
		"too many files": {evidence.TooLarge, func(d *desk) {
			for i := range 10_001 {
				add(fmt.Sprint(i))(d)
			}
		}},
	}
}

func layoutSpoiled() map[string]mutation {
	return map[string]mutation{
		"bytes before the bundle":   {evidence.Stray, func(d *desk) { d.after = func(raw []byte) []byte { return append([]byte("#!/bin/sh\n"), raw...) } }},
		"bytes after the bundle":    {evidence.Stray, func(d *desk) { d.after = func(raw []byte) []byte { return append(raw, "more"...) } }},
		"a bundle after the bundle": {evidence.Stray, func(d *desk) { d.after = func(raw []byte) []byte { return append(raw, raw...) } }},
		"bytes between the files": {evidence.Stray, func(d *desk) {
			d.after = func(raw []byte) []byte { return insert(raw, "PK\x01\x02", []byte("hidden")) }
		}},
		"end cut off":         {evidence.BadFormat, func(d *desk) { d.after = func(raw []byte) []byte { return raw[:len(raw)-1] } }},
		"second half cut off": {evidence.BadFormat, func(d *desk) { d.after = func(raw []byte) []byte { return raw[:len(raw)/2] } }},
		"nothing left":        {evidence.BadFormat, func(d *desk) { d.after = func([]byte) []byte { return nil } }},
		"two names for one file": {evidence.Stray, func(d *desk) {
			d.after = func(raw []byte) []byte { return bytes.Replace(raw, []byte("report.md"), []byte("report.mx"), 1) }
		}},
		"file encrypted":                {evidence.Stray, func(d *desk) { d.after = func(raw []byte) []byte { raw[6] |= 1; return raw } }},
		"note on a file":                {evidence.Stray, func(d *desk) { d.part("report.md").note = "read me" }},
		"extra field":                   {evidence.Stray, func(d *desk) { d.part("report.md").extra = []byte{0xfe, 0xca, 4, 0, 'd', 'a', 't', 'a'} }},
		"bytes behind the packed bytes": {evidence.Stray, func(d *desk) { d.part("report.md").behind = []byte("hidden") }},
		"size that is not true":         {evidence.Changed, func(d *desk) { d.part("report.md").wrongSize = true }},
	}
}

func redactedSpoiled() map[string]mutation {
	return map[string]mutation{
		"file withheld without a redaction": {evidence.Removed, func(d *desk) {
			d.replace("manifest.json", `"name": "report.md",`, `"name": "report.md", "withheld": "00",`)
			d.drop("report.md")
			d.sign(d.priv)
		}},
		"ledger withheld": {evidence.Removed, func(d *desk) {
			d.replace("manifest.json", `"ledger": {`, `"redacted": true, "ledger": {`)
			d.replace("manifest.json", `"name": "ledger.jsonl",`, `"name": "ledger.jsonl", "withheld": "00",`)
			d.sign(d.priv)
		}},
		"withheld file slipped in":     {evidence.Added, redacted(func(d *desk) { add("evidence/usage.json")(d) })},
		"redaction undone":             {evidence.BadSignature, redacted(func(d *desk) { d.replace("manifest.json", `"redacted": true`, `"redacted": false`) })},
		"redacted, entry missing":      {evidence.LedgerMissing, redacted(func(d *desk) { d.lines(func(l []string) []string { return append(l[:1], l[2:]...) }) })},
		"redacted, ledger reordered":   {evidence.Reordered, redacted(func(d *desk) { d.lines(func(l []string) []string { return []string{l[1], l[0], l[2], l[3], l[4]} }) })},
		"redacted, ledger cut off":     {evidence.CutOff, redacted(func(d *desk) { d.lines(func(l []string) []string { return l[:2] }); d.resign(d.priv) })},
		"redacted, actor changed":      {evidence.LedgerChanged, redacted(func(d *desk) { d.replace("ledger.jsonl", `"system"`, `"nobody"`); d.resign(d.priv) })},
		"redacted, kept file changed":  {evidence.Changed, redacted(func(d *desk) { d.replace("report.md", "happened", "did not") })},
		"redacted, commitment changed": {evidence.BadSignature, redacted(func(d *desk) { d.replace("manifest.json", `"withheld": "`, `"withheld": "00`) })},
	}
}

func TestEveryMutationOfABundleIsNamed(t *testing.T) {
	t.Parallel()
	for name, m := range mutations(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			m.do(d)
			var f *evidence.Fault
			if s, err := d.verify(d.pack()); !errors.As(err, &f) || f.Kind != m.kind || s.Run != "" {
				t.Errorf("want %q, got %+v, %v", m.kind, f, err)
			}
		})
	}
}
