package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/seal"
)

// TestANoteIsKeptInTheLedgerOfItsRunUnderItsAuthor also tries a stranger, an unknown run and an empty note.
func TestANoteIsKeptInTheLedgerOfItsRunUnderItsAuthor(t *testing.T) {
	t.Parallel()
	ctx, dir := context.Background(), t.TempDir()
	ring, err := seal.LoadOrCreate(filepath.Join(dir, "ring"), nil)
	if err != nil {
		t.Fatal(err)
	}
	db, err := database.Open(ctx, filepath.Join(dir, "t.db"), ring.Box())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if err := db.PutToken(ctx, "ana", tokenHash("ana's token"), "bo"); err != nil {
		t.Fatal(err)
	}
	if err := db.PutRun(ctx, incident.Run{ID: "run-1", Incident: "inc-1", Number: 1, State: "done", StartedAt: time.Now()}); err != nil {
		t.Fatal(err)
	}
	p := routeParams{DB: db}
	mux := door(t, db, p.operate())
	for _, c := range []struct {
		run, token, body string
		want             int
	}{
		{"run-1", "", `{"text":"x"}`, http.StatusUnauthorized},
		{"run-1", "ana's token", `{"text":" "}`, http.StatusUnprocessableEntity},
		{"run-2", "ana's token", `{"text":"x"}`, http.StatusNotFound},
		{"run-1", "ana's token", `{"text":"the load test was ours"}`, http.StatusCreated},
	} {
		r := httptest.NewRequest(http.MethodPost, "/v1/runs/"+c.run+"/note", strings.NewReader(c.body))
		r.Header.Set("Content-Type", "application/json")
		if c.token != "" {
			r.Header.Set("Authorization", "Bearer "+c.token)
		}
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		if w.Code != c.want {
			t.Errorf("%+v was answered %d: %s", c, w.Code, w.Body)
		}
	}
	rows, err := db.Ledger(ctx, "run-1")
	if err != nil || len(rows) != 1 || rows[0].Kind != "run.note" || rows[0].Actor != "ana" {
		t.Fatalf("the ledger holds %+v, %v", rows, err)
	}
}
