package silence_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/silence"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func good() database.Silence {
	return database.Silence{ID: "si-1", Owner: "ana", Reason: "load test of the gateway", If: `alert.source == "grafana"`, From: noon, Until: noon.Add(time.Hour)}
}

func TestASilenceThatNobodyCouldAccountForIsRefused(t *testing.T) {
	t.Parallel()
	if err := silence.Check(good(), noon); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*database.Silence){
		"needs an owner":          func(s *database.Silence) { s.Owner = " " },
		"needs a reason":          func(s *database.Silence) { s.Reason = "x" },
		"of 3 to 500 bytes":       func(s *database.Silence) { s.Reason = strings.Repeat("x", 501) },
		"needs an end":            func(s *database.Silence) { s.Until = time.Time{} },
		"ends in the future":      func(s *database.Silence) { s.Until = noon },
		"after it begins":         func(s *database.Silence) { s.From = noon.Add(2 * time.Hour) },
		"at most 30 days":         func(s *database.Silence) { s.Until = noon.Add(31 * 24 * time.Hour) },
		"unknown field":           func(s *database.Silence) { s.If = `alert.sorce == "grafana"` },
		"this is a text":          func(s *database.Silence) { s.If = `alert.source` },
		"unknown name steps":      func(s *database.Silence) { s.If = `steps.x.status == "done"` },
		"the expression is empty": func(s *database.Silence) { s.If = "" },
		"predicates do not nest":  func(s *database.Silence) { s.If = `all(alert.links, any(alert.links, true))` },
		"longer than 2000 bytes":  func(s *database.Silence) { s.If = `"` + strings.Repeat("x", 3000) + `" == ""` },
	} {
		s := good()
		change(&s)
		if err := silence.Check(s, noon); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", want, err)
		}
	}
}

func TestASilenceHidesWhatItSaysWhileItIsInForce(t *testing.T) {
	t.Parallel()
	critical := func(c incident.Clue) bool { return c.ID == "crown" }
	for name, c := range map[string]struct {
		change func(*database.Silence, *incident.Alert, *silence.Rules)
		hides  bool
		spared bool
	}{
		"fits":                 {func(*database.Silence, *incident.Alert, *silence.Rules) {}, true, false},
		"another source":       {func(_ *database.Silence, a *incident.Alert, _ *silence.Rules) { a.Source = "github" }, false, false},
		"came before":          {func(_ *database.Silence, a *incident.Alert, _ *silence.Rules) { a.ReceivedAt = noon.Add(-time.Second) }, false, false},
		"came at the end":      {func(_ *database.Silence, a *incident.Alert, _ *silence.Rules) { a.ReceivedAt = noon.Add(time.Hour) }, false, false},
		"says that it is over": {func(_ *database.Silence, a *incident.Alert, _ *silence.Rules) { a.Kind = incident.KindResolved }, false, false},
		"could not be read":    {func(_ *database.Silence, a *incident.Alert, _ *silence.Rules) { a.Kind = incident.KindUnread }, false, false},
		"names a critical key": {func(_ *database.Silence, a *incident.Alert, _ *silence.Rules) { a.Key.ID = "crown" }, false, true},
		"policy hides even those": {func(_ *database.Silence, a *incident.Alert, r *silence.Rules) {
			a.Key.ID, r.CriticalKeys = "crown", true
		}, true, false},
		"a condition that breaks":     {func(s *database.Silence, _ *incident.Alert, _ *silence.Rules) { s.If = `alert.links[3] == "x"` }, false, false},
		"a condition that is no bool": {func(s *database.Silence, _ *incident.Alert, _ *silence.Rules) { s.If = `"yes"` }, false, false},
	} {
		s, r := good(), silence.Rules{Critical: critical}
		a := incident.Alert{Source: "grafana", Kind: incident.KindUsageAnomaly, ReceivedAt: noon.Add(time.Minute), Key: incident.Clue{ID: "k1"}}
		c.change(&s, &a, &r)
		hides, spared := r.Hides(s, a, map[string]any{"alert": map[string]any{"source": a.Source, "links": []any{}}})
		if hides != c.hides || (spared != "") != c.spared {
			t.Errorf("%s: %v, %q", name, hides, spared)
		}
	}
	if note := silence.Note(good()); !strings.Contains(note, "si-1") || !strings.Contains(note, "ana") || !strings.Contains(note, "load test") || !strings.Contains(note, "2026-11-23T13:00:00Z") {
		t.Errorf("the note says %q", note)
	}
}
