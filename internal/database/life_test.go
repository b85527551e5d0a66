package database_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

const livedSecret = "a fresh key, sealed"

// live puts something into every table, as a few weeks would, and leaves no run open. What it leaves empty gets a made-up row
// (notEmpty): tests of moves and migrations show nothing about an empty table.
func live(t *testing.T, d *database.DB) (handle incident.SecretRef) {
	t.Helper()
	ctx := context.Background()
	must(t, d.CheckRing(ctx))
	must(t, failed(d.Installation(ctx)))
	must(t, d.PutSetting(ctx, "retention", "odd \x00 value"))
	must(t, d.SetHold(ctx, true, "ann", "drill"))
	must(t, d.SetHold(ctx, false, "ann", "over"))
	must(t, d.Append(ctx, database.HouseLedger, database.Entry{ID: "began", Kind: "house.began", At: noon()}))
	must(t, d.PutToken(ctx, "bo", "hash", "ann"))
	must(t, d.OpenSession(ctx, database.Session{Hash: "cookie", Person: "bo", At: noon(), Until: noon().Add(time.Hour)}))
	must(t, failed(d.SeenBefore(ctx, "key", noon())))
	must(t, d.PutWatched(ctx, "gemini:demo:k1", json.RawMessage(`{"n":1}`), json.RawMessage(`{}`)))
	silence := got[database.Silence](t)(d.AddSilence(ctx, database.Silence{Owner: "ann", Reason: "test", If: "true", From: noon(), Until: noon().Add(time.Hour)}))
	for i := range 5 {
		a := alert(fmt.Sprint("finger\xff", i))
		s := got[database.Stored](t)(d.StoreAlert(ctx, incident.Finding{Body: []byte("said \xfe")}, a, byID(fmt.Sprint("k", i))))
		must(t, d.SetFate(ctx, s.AlertID, incident.FateStarted, "", fmt.Sprint("run-", i)))
		must(t, d.NoteSilenced(ctx, silence.ID, s.AlertID))
		run := incident.Run{ID: fmt.Sprint("run-", i), Incident: s.IncidentID, Number: 1, State: "done", StartedAt: noon(), FinishedAt: noon().Add(time.Hour)}
		must(t, d.PutRun(ctx, run))
		must(t, failed(d.MarkAlertsRead(ctx, s.IncidentID)))
		must(t, failed(d.CloseIncident(ctx, s.IncidentID, "contained")))
		for n := range 20 {
			must(t, d.Append(ctx, run.ID, database.Entry{ID: fmt.Sprint("e", n), Kind: "run.note", Actor: "ann\x00", At: noon(), Body: map[string]any{"n": n, "text": "é \u0000"}}))
		}
		must(t, d.EraseBody(ctx, run.ID, 2))
		must(t, d.PutStep(ctx, database.StepRow{Run: run.ID, Path: "a", Status: "done", Inputs: json.RawMessage(`{}`), StartedAt: noon()}))
		must(t, d.PutEvidence(ctx, incident.Evidence{ID: fmt.Sprint("ev-", i), Run: run.ID}))
		must(t, d.PutUndo(ctx, database.UndoRow{Run: run.ID, Step: "contain", Action: "key.restore", Target: "k", At: noon()}))
	}
	must(t, failed(d.ClaimAuto(ctx, "run-1", noon(), 5, time.Hour)))
	must(t, d.PutRequest(ctx, view()))
	must(t, d.SetRequest(ctx, "rq-1", func(v *signoff.View) error { v.State = signoff.StateDone; return nil }))
	must(t, d.AddDelivery(ctx, "rq-1", "C1", "1.2", "slack"))
	must(t, d.RecordAttempt(ctx, database.Attempt{Request: "rq-1", Person: "ann", Verb: "approve", At: noon(), Decision: json.RawMessage(`{}`)}))
	must(t, d.PutQuestion(ctx, database.Question{ID: "q-1", Run: "run-1"}))
	must(t, failed2(d.BeginCall(ctx, call("c-1", "d"))))
	must(t, d.FinishCall(ctx, "c-1", database.CallDone, json.RawMessage(`{"ok":true}`)))
	ref := got[incident.SecretRef](t)(d.PutSealed(ctx, "fresh", []byte(livedSecret), "run-1"))
	return ref
}

func failed2[A, B any](_ A, _ B, err error) error { return err }

// notEmpty puts a row of made-up values into each table that is empty, so that a table that somebody adds is moved and migrated with
// something in it, too.
func notEmpty(t *testing.T, raw *sql.DB) {
	t.Helper()
	for _, name := range words(t, raw, `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`) {
		var n int
		must(t, raw.QueryRow(`SELECT count(*) FROM `+name).Scan(&n))
		if n > 0 {
			continue
		}
		columns := words(t, raw, `SELECT name FROM pragma_table_info(?)`, name)
		values := map[string]string{"INTEGER": "7", "TEXT": "'made up'", "BLOB": "x'00ff'"}
		var made []string
		for _, kind := range words(t, raw, `SELECT type FROM pragma_table_info(?)`, name) {
			made = append(made, values[kind])
		}
		if _, err := raw.Exec(`INSERT INTO ` + name + ` (` + strings.Join(columns, ", ") + `) VALUES (` + strings.Join(made, ", ") + `)`); err != nil {
			t.Errorf("table %q takes no made-up row: put one in with live: %v", name, err)
		}
	}
}

func words(t *testing.T, raw *sql.DB, query string, args ...any) (all []string) {
	t.Helper()
	rows, err := raw.Query(query, args...)
	must(t, err)
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var one string
		must(t, rows.Scan(&one))
		all = append(all, one)
	}
	must(t, rows.Err())
	return all
}
