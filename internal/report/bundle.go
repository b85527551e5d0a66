package report

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/evidence"
	"github.com/tourniquet-ir/tourniquet/internal/seal"
)

// KindExported is the kind of the ledger entry that every access to a run's evidence leaves.
const KindExported = "evidence.exported"

// Access is one person's taking of a run's evidence.
type Access struct {
	Run     string
	Who     string // a person's id, or "system"
	Surface string
	At      time.Time
	Redact  bool
	Keep    []string // with Redact: patterns of the files that are told all the same
	Refund  bool     // the pack for the provider's billing support: redacted to what concerns it
}

// record writes the access down. It comes before the bundle, which so holds the record of its own making.
func (a Access) record(ctx context.Context, db *database.DB) error {
	body := map[string]any{"surface": a.Surface, "redacted": a.Redact || a.Refund}
	if len(a.Keep) > 0 {
		body["keep"] = a.Keep
	}
	if a.Refund {
		body["refund"] = true
	}
	return db.Append(ctx, a.Run, database.Entry{ID: "evidence/" + rand.Text(), Kind: KindExported, Actor: a.Who, At: a.At, Body: body})
}

func (a Access) redaction() *evidence.Redaction {
	if !a.Redact {
		return nil
	}
	return &evidence.Redaction{Keep: a.Keep}
}

// Bundle writes everything of one run as a signed bundle: findings, collected evidence, envelopes with their decisions and
// every attempt, receipts, ledger, the playbook's source and the report. A run that still goes on is written as it stands.
// An access that cannot be recorded gets nothing.
func Bundle(ctx context.Context, db *database.DB, ev *evidence.Store, a Access, w io.Writer, signer *seal.Signer) error {
	run := a.Run
	if _, err := db.Run(ctx, run); err != nil {
		return err
	}
	if a.Who == "" || a.Surface == "" || a.At.IsZero() {
		return errors.New("evidence is handed out to somebody, somewhere, at some time: the access says neither")
	}
	if err := a.record(ctx, db); err != nil {
		return err
	}
	// The head first: entries that arrive while we read lie beyond it and are left to the next bundle.
	head, err := db.LedgerHead(ctx, run)
	if err != nil {
		return err
	}
	f, err := Load(ctx, db, run)
	if err != nil {
		return err
	}
	if a.Refund {
		a.Redact, a.Keep = true, f.RefundFiles()
	}
	for i, row := range f.Ledger {
		if row.Seq > head.Seq {
			f.Ledger = f.Ledger[:i]
			break
		}
	}
	files, err := f.files(ctx, db)
	if err != nil {
		return fmt.Errorf("bundle of run %q: %w", run, err)
	}
	b := evidence.Bundle{Run: run, Made: made(f), Ledger: f.Ledger, Head: head, Redact: a.redaction(), Files: append(files, f.blobs(ctx, ev)...)}
	return evidence.Write(w, b, signer.Private, signer.ID)
}

// made dates a bundle by the last thing in it, so that the same records give the same bytes.
func made(f *Facts) (at time.Time) {
	at = f.Run.StartedAt
	if n := len(f.Ledger); n > 0 {
		at = f.Ledger[n-1].At
	}
	return at
}

func (f *Facts) files(ctx context.Context, db *database.DB) ([]evidence.File, error) {
	var out []evidence.File
	add := func(name string, v any) error {
		body, err := json.MarshalIndent(v, "", "  ")
		if err != nil {
			return fmt.Errorf("%q: %w", name, err)
		}
		out = append(out, evidence.Bytes(name, append(body, '\n')))
		return nil
	}
	for _, a := range f.Alerts {
		finding, err := db.Finding(ctx, a.Alert.ID)
		if err != nil {
			return nil, err
		}
		if err := add("findings/"+safe(a.Alert.ID)+".json", struct {
			database.Received
			Finding any `json:"finding"`
		}{a, finding}); err != nil {
			return nil, err
		}
	}
	for _, s := range f.Signoffs {
		if err := add("signoffs/"+safe(s.View.Request)+".json", s); err != nil {
			return nil, err
		}
	}
	for _, part := range []struct {
		name string
		v    any
	}{
		{"run.json", f.Run}, {"steps.json", f.Steps}, {"calls.json", f.Calls}, {"questions.json", f.Questions},
		{"undo.json", map[string]any{"in_force": f.InForce, "undone": f.Undone, "used": f.Used}}, {"evidence.json", f.Evidence},
	} {
		if err := add(part.name, part.v); err != nil {
			return nil, err
		}
	}
	return f.told(out)
}

// told adds what people read.
func (f *Facts) told(out []evidence.File) ([]evidence.File, error) {
	page, err := f.HTML()
	if err != nil {
		return nil, err
	}
	data, err := f.JSON()
	if err != nil {
		return nil, err
	}
	pack, err := f.refunds()
	if err != nil {
		return nil, err
	}
	return append(append(out, pack...), evidence.Bytes("report.json", data), evidence.Bytes("playbook.yaml", []byte(f.Run.Source)),
		evidence.Bytes("report.md", f.Markdown()), evidence.Bytes("report.html", page)), nil
}

// blobs lie under their digest; one digest lies there once, whoever collected it.
func (f *Facts) blobs(ctx context.Context, ev *evidence.Store) []evidence.File {
	var out []evidence.File
	if !f.Retired.IsZero() {
		return nil // their time was over; evidence.json still names them with their digests
	}
	seen := map[string]bool{}
	for _, e := range f.Evidence {
		if seen[e.Digest] {
			continue
		}
		seen[e.Digest] = true
		out = append(out, evidence.File{Name: "evidence/" + safe(e.Digest), Alias: fmt.Sprintf("evidence/withheld-%04d", len(seen)), Open: func() (io.ReadCloser, error) {
			body, err := ev.Get(ctx, e.Digest)
			return io.NopCloser(bytes.NewReader(body)), err
		}})
	}
	return out
}

// safe keeps letters, digits, dot, dash and underscore of an id, so that it is one clean file name everywhere.
func safe(id string) string {
	name := strings.Map(func(r rune) rune {
		if r == '.' || r == '-' || r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '-'
	}, id)
	return strings.TrimLeft(name, ".")
}
