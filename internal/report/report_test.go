package report_test

import (
	"archive/zip"
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/evidence"
	"github.com/tourniquet-ir/tourniquet/internal/report"
	"github.com/tourniquet-ir/tourniquet/internal/report/reporttest"
	"github.com/tourniquet-ir/tourniquet/internal/seal"
)

var update = flag.Bool("update", false, "write the golden report anew")

// random is what differs from one database to the next.
var random = regexp.MustCompile(`inc-[0-9a-z]{20,}`)

func TestTheReportTellsTheRunAsItWas(t *testing.T) {
	t.Parallel()
	db := reporttest.DB(t)
	reporttest.Fill(t, db)
	got, err := report.Markdown(t.Context(), db, reporttest.RunID)
	if err != nil {
		t.Fatal(err)
	}
	got = random.ReplaceAll(got, []byte("inc-RANDOM"))
	golden := filepath.Join("testdata", "report.md")
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("the report is\n%s\nwant\n%s\n(-update writes it anew)", got, want)
	}
}

func TestHostileTextCannotLeaveItsPlaceInAnyFormat(t *testing.T) {
	t.Parallel()
	db := reporttest.DB(t)
	reporttest.Fill(t, db)
	html, err := report.HTML(t.Context(), db, reporttest.RunID)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := report.JSON(t.Context(), db, reporttest.RunID)
	if err != nil {
		t.Fatal(err)
	}
	for name, body := range map[string][]byte{"HTML": html, "JSON": raw} {
		if bytes.ContainsAny(body, "\u202e\u202c\u200b") {
			t.Errorf("%s carries hidden characters as they came", name)
		}
	}
	if bytes.Contains(html, []byte("<script")) || bytes.Contains(html, []byte("<b>")) {
		t.Error("the page carries markup that an attacker wrote")
	}
	var f report.Facts
	if err := json.Unmarshal(raw, &f); err != nil {
		t.Fatal(err)
	}
	if len(f.Alerts) != 1 || f.Alerts[0].Alert.Title != reporttest.Hostile {
		t.Errorf("the JSON says %+v, want the title as it was received", f.Alerts)
	}
}

func TestMarksAndMoneyComeFromRecordsAndElseAreUnknown(t *testing.T) {
	t.Parallel()
	db := reporttest.DB(t)
	reporttest.Fill(t, db)
	f, err := report.Load(t.Context(), db, reporttest.RunID)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"first_abuse": "T−1h11m", "alert": "T+0.0s", "first_action": "T+1.0s", "contained": "T+3.9s",
		"decided": report.Unknown, "revoked": report.Unknown, "proven": report.Unknown} {
		if got := f.SinceAlert(f.Mark(name).At); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if f.Money[0].Text != "$1,874.22" || f.Money[0].Basis == "" {
		t.Errorf("the money is %+v", f.Money[0])
	}
}

func TestAnExecutedCallIsComparedWithTheApprovedOne(t *testing.T) {
	t.Parallel()
	db := reporttest.DB(t)
	reporttest.Fill(t, db)
	if _, _, err := db.BeginCall(t.Context(), database.CallRow{ID: "call-2", Run: reporttest.RunID, Request: reporttest.Open, Step: "revoke", Action: "key.revoke",
		Target: "gemini:acme-prod:keys/other", Digest: "sha256:0", StartedAt: time.Now()}); err != nil {
		t.Fatal(err)
	}
	f, err := report.Load(t.Context(), db, reporttest.RunID)
	if err != nil {
		t.Fatal(err)
	}
	if f.Calls[0].Verdict != report.Same || f.Calls[1].Verdict != report.Differs || f.Calls[1].Good {
		t.Errorf("verdicts are %q and %q", f.Calls[0].Verdict, f.Calls[1].Verdict)
	}
}

func TestHiddenCharactersComeOutVisible(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"plain é 漢": "plain é 漢", "a\u202eb": `a\u202eb`, "\x1b[2J": `\u001b[2J`, "\U000E0041": `\udb40\udc41`,
		"a\nb\tc": "a\nb\tc", "\xff": "\uFFFD", "\u3164": `\u3164`, "\r": `\u000d`} {
		if got := string(report.Neutral([]byte(in))); got != want {
			t.Errorf("Neutral(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestTheBundleVerifiesWithThePublicKeyAlone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db := reporttest.DB(t)
	reporttest.Fill(t, db)
	ev, err := evidence.Open(t.Context(), "file://"+filepath.ToSlash(dir))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ev.Close() }()
	if _, err := ev.Put(t.Context(), reporttest.RunID, "first_minute/usage", "monitoring-timeseries.json", "gemini", []byte(reporttest.BlobBody), reporttest.Start()); err != nil {
		t.Fatal(err)
	}
	signer, err := seal.LoadOrCreateSigner(filepath.Join(t.TempDir(), "signer.json"))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	access := report.Access{Run: reporttest.RunID, Who: "priya", Surface: "console", At: reporttest.Start().Add(time.Hour)}
	if err := report.Bundle(t.Context(), db, ev, access, &out, signer); err != nil {
		t.Fatal(err)
	}
	if _, err := evidence.Verify(bytes.NewReader(out.Bytes()), int64(out.Len()), map[string]ed25519.PublicKey{signer.ID: signer.Public}); err != nil {
		t.Errorf("the bundle does not verify: %v", err)
	}
	z, err := zip.NewReader(bytes.NewReader(out.Bytes()), int64(out.Len()))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range z.File {
		names = append(names, f.Name)
	}
	for _, want := range []string{"ledger.jsonl", "findings/al-01.json", "signoffs/so-approved.json", "calls.json", "playbook.yaml", "report.md", "report.html", "report.json", "steps.json", "evidence.json", "manifest.json", "manifest.sig", "evidence/" + strings.Replace(reporttest.Blob, ":", "-", 1)} {
		if !strings.Contains(strings.Join(names, "\n"), want) {
			t.Errorf("the bundle lacks %q; it holds %q", want, names)
		}
	}
}

func TestEvidenceIsHandedOutOnTheRecordOnly(t *testing.T) {
	t.Parallel()
	db := reporttest.DB(t)
	reporttest.Fill(t, db)
	ev, err := evidence.Open(t.Context(), "file://"+filepath.ToSlash(t.TempDir())+"?metadata=skip")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ev.Close() }()
	signer, err := seal.LoadOrCreateSigner(filepath.Join(t.TempDir(), "signer.json"))
	if err != nil {
		t.Fatal(err)
	}
	before, err := db.LedgerHead(t.Context(), reporttest.RunID)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := report.Bundle(t.Context(), db, ev, report.Access{Run: reporttest.RunID, Surface: "console", At: reporttest.Start()}, &out, signer); err == nil || out.Len() > 0 {
		t.Errorf("nobody took %d bytes: %v", out.Len(), err)
	}
	// The store is empty: the bundle fails, and that somebody reached for it stays on the record.
	access := report.Access{Run: reporttest.RunID, Who: "priya", Surface: "console", At: reporttest.Start().Add(time.Hour), Redact: true, Keep: []string{"evidence/*"}}
	if err := report.Bundle(t.Context(), db, ev, access, &out, signer); err == nil {
		t.Error("a bundle was made from an empty store")
	}
	rows, err := db.Ledger(t.Context(), reporttest.RunID)
	if err != nil || int64(len(rows)) != before.Seq+1 {
		t.Fatalf("%d entries after %d: %v", len(rows), before.Seq, err)
	}
	last := rows[len(rows)-1]
	if last.Kind != report.KindExported || last.Actor != "priya" || string(last.Body) != `{"keep":["evidence/*"],"redacted":true,"surface":"console"}` {
		t.Errorf("the record says %+v %s", last, last.Body)
	}
}

func TestARunThatNobodyKnowsIsNotFound(t *testing.T) {
	t.Parallel()
	if _, err := report.Markdown(t.Context(), reporttest.DB(t), "nope"); !database.IsNotFound(err) {
		t.Errorf("the error is %v", err)
	}
}

func TestTheReportInTheDocsHasTheFormOfToday(t *testing.T) {
	t.Parallel()
	shown, err := os.ReadFile(filepath.Join("..", "..", "docs", "report-drill.md"))
	if err != nil {
		t.Fatal(err)
	}
	db := reporttest.DB(t)
	reporttest.Fill(t, db)
	today, err := report.Markdown(t.Context(), db, reporttest.RunID)
	if err != nil {
		t.Fatal(err)
	}
	parts := regexp.MustCompile(`(?m)^## .*$`)
	want, got := parts.FindAllString(string(today), -1), parts.FindAllString(string(shown), -1)
	if strings.Join(got, "\n") != strings.Join(want, "\n") || !strings.Contains(string(shown), "**DRILL. Nothing") {
		t.Errorf("docs/report-drill.md has the parts %q, want %q: make it anew with “drill --approve auto --report docs/report-drill.md”", got, want)
	}
}
