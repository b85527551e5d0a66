package main

import (
	"encoding/json"
	"log/slog"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/seal"
	"github.com/tourniquet-ir/tourniquet/internal/starter"
)

func TestASilenceShowsWhatItHidesBeforeItHidesAnything(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ring, err := seal.LoadOrCreate(filepath.Join(dir, "ring"), nil)
	if err != nil {
		t.Fatal(err)
	}
	db, err := database.Open(t.Context(), filepath.Join(dir, "t.db"), ring.Box())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	mine := newToken()
	if err := db.PutToken(t.Context(), "ana", tokenHash(mine), "bo"); err != nil {
		t.Fatal(err)
	}
	for i, key := range []string{"k1", "crown", "k3"} {
		a := incident.Alert{Source: "grafana", Kind: incident.KindUsageAnomaly, Title: "burn of " + key, Fingerprint: key, ReceivedAt: time.Now().Add(-time.Hour), Key: incident.Clue{ID: key}}
		if i == 2 {
			a.Source = "github"
		}
		s, err := db.StoreAlert(t.Context(), incident.Finding{}, a, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := db.SetFate(t.Context(), s.AlertID, incident.FateStarted, "x", "run-1"); err != nil {
			t.Fatal(err)
		}
	}
	p := routeParams{DB: db, Settings: settings{Log: slog.New(slog.DiscardHandler)}, Starter: starter.New(starter.Options{
		Critical: func(c incident.Clue) bool { return c.ID == "crown" },
	})}
	srv := httptest.NewServer(door(t, db, p.silences()))
	t.Cleanup(srv.Close)
	env := map[string]string{"TOURNIQUET_SERVER": srv.URL, "TOURNIQUET_TOKEN": mine}
	add := func(more ...string) ran {
		return command(t, env, append([]string{"silence", "add", "--if", `alert.source == "grafana"`, "--reason", "load test"}, more...)...)
	}
	for _, dry := range []bool{true, false} {
		args := []string{"--for", "2h"}
		if dry {
			args = append(args, "--dry-run")
		}
		r := add(args...)
		if r.code != exitGood || !strings.Contains(r.out, "of 3 alerts") || !strings.Contains(r.out, "hidden 1, of which 1 had started a run") || !strings.Contains(r.out, "1 more fit") || !strings.Contains(r.out, "burn of k1") {
			t.Errorf("exit %d: %s%s", r.code, r.out, r.talk)
		}
	}
	var all struct{ Items []database.Silence }
	r := command(t, env, "silence", "list", "-o", "json")
	if err := json.Unmarshal([]byte(r.out), &all); err != nil || len(all.Items) != 1 || all.Items[0].Owner != "ana" {
		t.Fatalf("%v: %s%s", err, r.out, r.talk)
	}
	if r := command(t, env, "silence", "expire", all.Items[0].ID); r.code != exitGood {
		t.Errorf("exit %d: %s", r.code, r.talk)
	}
	if r := command(t, env, "silence", "list"); !strings.Contains(r.out, "ended by ana") {
		t.Errorf("%s%s", r.out, r.talk)
	}
	if r := command(t, env, "silence", "expire", "si-nothing"); r.code == exitGood || !strings.Contains(r.talk, "no such silence") {
		t.Errorf("exit %d: %s", r.code, r.talk)
	}
	for want, args := range map[string][]string{
		"needs an end": {}, "one of them": {"--for", "1h", "--until", "2026-01-01T00:00:00Z"}, "as 30m": {"--for", "soon"}, "30 days": {"--for", "90d"}, "takes a time": {"--until", "tomorrow"},
	} {
		if r := add(args...); r.code == exitGood || !strings.Contains(r.talk, strings.Replace(want, "as 30m", "such as 30m", 1)) {
			t.Errorf("%q: exit %d: %s%s", want, r.code, r.out, r.talk)
		}
	}
	if r := command(t, env, "silence", "add", "--if", "alert.sorce", "--for", "1h", "--reason", "load test"); r.code != exitMisuse || !strings.Contains(r.talk, "unknown field sorce") {
		t.Errorf("exit %d: %s", r.code, r.talk)
	}
	if r := command(t, env, "silence", "add", "--if", "true", "--for", "1h"); r.code != exitMisuse || !strings.Contains(r.talk, "--reason") {
		t.Errorf("exit %d: %s", r.code, r.talk)
	}
	delete(env, "TOURNIQUET_TOKEN")
	if r := add("--for", "1h"); r.code != exitNoAuth {
		t.Errorf("without a token: exit %d: %s", r.code, r.talk)
	}
}
