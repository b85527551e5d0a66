package main

import (
	"encoding/json"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/tourniquet-ir/tourniquet/integrations/sources"
)

func TestConfigShowTellsWhereEachValueComesFrom(t *testing.T) {
	t.Parallel()
	value := random(t)
	file := filepath.Join(t.TempDir(), "tourniquet.yaml")
	write(t, file, "server:\n  listen: 127.0.0.1:1\ngithub:\n  token: env://TOKEN\nnotify:\n  mail: { host: h }\nevidence: { url: \"s3://user:"+value+"@bucket\" }\n")
	r := command(t, map[string]string{"TOURNIQUET_CONFIG": file, "TOKEN": value, "TOURNIQUET_SERVER": "http://127.0.0.1:2"}, "config", "show", "--origin", "-o", "json")
	var rows []setting
	if err := json.Unmarshal([]byte(r.out), &rows); r.code != exitGood || err != nil {
		t.Fatalf("exit %d (%v): %s", r.code, err, r.talk)
	}
	got := map[string]setting{}
	for _, row := range rows {
		got[row.Name] = row
	}
	for name, want := range map[string]setting{
		"--config":      {Value: file, Origin: "environment TOURNIQUET_CONFIG"},
		"--server":      {Value: "http://127.0.0.1:2", Origin: "environment TOURNIQUET_SERVER"},
		"mode":          {Value: "observe", Origin: "default"},
		"server.listen": {Value: "127.0.0.1:1", Origin: file + ":2"},
		"github.token":  {Value: "env://TOKEN", Origin: file + ":4", Secret: true},
	} {
		if want.Name = name; got[name] != want {
			t.Errorf("%s: %+v, not %+v", name, got[name], want)
		}
	}
	if strings.Contains(r.out+r.talk, value) {
		t.Error("a secret was printed")
	}
	r = command(t, map[string]string{"TOURNIQUET_CONFIG": file}, "config", "show", "--server", "http://127.0.0.1:3", "--origin")
	if !strings.Contains(r.out, "flag --server") {
		t.Errorf("a flag goes before the rest: %s", r.out)
	}
}

func TestConfigCheckReportsEveryFaultAndExitsTwo(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "tourniquet.yaml")
	env := map[string]string{"TOURNIQUET_CONFIG": file}
	write(t, file, "mode: yolo\ndatabase: { driver: oracle }\n")
	r := command(t, env, "config", "check")
	if r.code != exitMisuse || !strings.Contains(r.talk, "mode:") || !strings.Contains(r.talk, "database.driver:") {
		t.Errorf("exit %d: %s", r.code, r.talk)
	}
	write(t, file, "mode: observe\n")
	if r := command(t, env, "config", "check"); r.code != exitGood || !strings.Contains(r.out, "is good") {
		t.Errorf("exit %d: %s%s", r.code, r.out, r.talk)
	}
}

func TestVersionNamesCommitProgramAndGo(t *testing.T) {
	t.Parallel()
	got := thisRelease(&debug.BuildInfo{Main: debug.Module{Version: "v1.2.3"}, Settings: []debug.BuildSetting{
		{Key: "vcs.revision", Value: "abc"}, {Key: "vcs.modified", Value: "true"}, {Key: "vcs.time", Value: "2026-11-20T00:00:00Z"},
	}}, true)
	if got.Version != "v1.2.3" || got.Commit != "abc" || !got.Modified || got.Built == "" || got.Program < 1 {
		t.Errorf("%+v", got)
	}
	if got := thisRelease(nil, false); got.Version != "unknown" || got.Go == "" {
		t.Errorf("%+v", got)
	}
	r := command(t, nil, "version", "-o", "json")
	var v release
	if err := json.Unmarshal([]byte(r.out), &v); r.code != exitGood || err != nil || v.Go == "" || v.Program < 1 {
		t.Errorf("exit %d (%v): %s%s", r.code, err, r.out, r.talk)
	}
}

func TestWhatTheConfigurationMapsIsTestedWithoutAServer(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "tourniquet.yaml")
	const good = `sources:
  gateway:
    trust: tell
    token: env://T
    map: { id: "${{ finding.id }}", kind: usage.anomaly, title: "${{ finding.what }}" }
    tests: [{ name: one, finding: { id: 7, what: burn }, expect: { id: "7", title: burn } }]
`
	env := map[string]string{"TOURNIQUET_CONFIG": file}
	write(t, file, good)
	if r := command(t, env, "source", "test"); r.code != exitGood || !strings.Contains(r.out, "gateway: 1 tests hold") {
		t.Errorf("exit %d: %s%s", r.code, r.out, r.talk)
	}
	if r := command(t, env, "source", "show", "gateway"); r.code != exitGood || !strings.Contains(r.out, "/v1/alerts/gateway") {
		t.Errorf("exit %d: %s%s", r.code, r.out, r.talk)
	}
	write(t, file, strings.Replace(good, "finding.what", "fnding.what", 1))
	if r := command(t, env, "source", "test", "gateway"); r.code == exitGood || !strings.Contains(r.out, "tourniquet.yaml:5:") || !strings.Contains(r.out, "unknown name fnding") {
		t.Errorf("exit %d: %s%s", r.code, r.out, r.talk)
	}
	if r := command(t, env, "source", "test", "nobody"); r.code != exitMisuse {
		t.Errorf("exit %d: %s", r.code, r.talk)
	}
}

func TestSourcesAreListedAndShownWithTheirExample(t *testing.T) {
	t.Parallel()
	var cards []sources.Card
	r := command(t, nil, "source", "list", "-o", "json")
	if err := json.Unmarshal([]byte(r.out), &cards); r.code != exitGood || err != nil || len(cards) != len(knownSources()) {
		t.Fatalf("exit %d (%v): %s", r.code, err, r.out)
	}
	for _, c := range cards {
		r := command(t, nil, "source", "show", c.Name)
		if r.code != exitGood || !strings.Contains(r.out, c.Path) || !strings.Contains(r.out, "\nExample\n") {
			t.Errorf("exit %d: %s", r.code, r.out)
		}
	}
	if r := command(t, nil, "source", "show", "gitlab"); r.code != exitMisuse || !strings.Contains(r.talk, "there are: github, ") {
		t.Errorf("exit %d: %s", r.code, r.talk)
	}
}
