package main

import (
	"bytes"
	"crypto/ed25519"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/evidence"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/report"
	"github.com/tourniquet-ir/tourniquet/internal/report/reporttest"
	"github.com/tourniquet-ir/tourniquet/internal/seal"
)

func TestARunIsRetiredWhenItsTimeIsOverAndItsBundleStillVerifies(t *testing.T) {
	t.Parallel()
	db, ctx := reporttest.DB(t), t.Context()
	reporttest.Fill(t, db)
	ev, err := evidence.Open(ctx, "file://"+filepath.ToSlash(t.TempDir())+"?metadata=skip")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ev.Close() }()
	if _, err := ev.Put(ctx, reporttest.RunID, "first_minute/usage", "x.json", "gemini", []byte(reporttest.BlobBody), reporttest.Start()); err != nil {
		t.Fatal(err)
	}
	ended := reporttest.Start().Add(4 * time.Hour)
	if err := db.UpdateRun(ctx, reporttest.RunID, func(r *incident.Run) { r.State, r.FinishedAt = "done", ended }); err != nil {
		t.Fatal(err)
	}
	quiet := slog.New(slog.DiscardHandler)
	retire(ctx, db, ev, ended.Add(23*time.Hour), 24*time.Hour, quiet)
	if _, err := ev.Get(ctx, reporttest.Blob); err != nil {
		t.Fatalf("within its time: %v", err)
	}
	retire(ctx, db, ev, ended.Add(25*time.Hour), 24*time.Hour, quiet)
	if _, err := ev.Get(ctx, reporttest.Blob); err == nil {
		t.Error("the evidence is still there")
	}
	signer, err := seal.LoadOrCreateSigner(filepath.Join(t.TempDir(), "signer.json"))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := report.Bundle(ctx, db, ev, report.Access{Run: reporttest.RunID, Who: "priya", Surface: "cli", At: ended.Add(26 * time.Hour)}, &out, signer); err != nil {
		t.Fatal(err)
	}
	sum, err := evidence.Verify(bytes.NewReader(out.Bytes()), int64(out.Len()), map[string]ed25519.PublicKey{signer.ID: signer.Public})
	if err != nil || sum.Erased == 0 {
		t.Errorf("the bundle of a retired run: %v, %+v", err, sum)
	}
	page, err := report.Markdown(ctx, db, reporttest.RunID)
	if err != nil || !strings.Contains(string(page), "what they said was erased at") || strings.Contains(string(page), "keys in client code") {
		t.Errorf("the report says %v\n%s", err, page)
	}
}
