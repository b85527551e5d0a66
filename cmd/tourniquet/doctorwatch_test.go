package main

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/tourniquet-ir/tourniquet/internal/config"
	"github.com/tourniquet-ir/tourniquet/internal/metrics"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

func watchExamined(every time.Duration) *examination {
	c := &config.Config{}
	c.Watch.Every = signoff.Duration(every)
	return &examination{s: settings{Config: c}}
}

func (e *examination) said() string {
	var all []string
	for _, f := range e.findings {
		all = append(all, f.Check+" "+f.Status+" "+f.Detail+" "+f.Mend)
	}
	return strings.Join(all, "\n")
}

func TestDoctorSaysWhichAccountsTheWatchCannotRead(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		seen, failing, blind int
		late                 time.Duration
		want                 string
	}{
		"all is read":     {9, 0, 0, 0, "watch gemini shop ok 9 keys are read"},
		"some is not":     {7, 2, 0, 0, "watch gemini shop note 2 of 9 keys cannot be read and are asked less and less often, 0 of them"},
		"some is blind":   {6, 2, 1, 0, "watch gemini shop fault 3 of 9 keys cannot be read and are asked less and less often, 1 of them"},
		"nobody sweeps":   {9, 0, 0, time.Hour, "watch gemini shop fault no sweep has ended since"},
		"a sweep is slow": {9, 0, 0, 10 * time.Minute, "watch gemini shop ok"},
	} {
		m := metrics.New()
		door := httptest.NewServer(promhttp.HandlerFor(m.Gatherer(), promhttp.HandlerOpts{}))
		t.Cleanup(door.Close)
		m.Swept("gemini", "shop", c.seen, c.failing, c.blind, 0, time.Now().Add(-c.late))
		m.Swept("openai", "eu", 1, 0, 0, 0, time.Now())
		e := watchExamined(5 * time.Minute)
		e.watching(t.Context(), door.URL)
		if got := e.said(); !strings.Contains(got, c.want) || !strings.Contains(got, "watch openai eu ok 1 keys") {
			t.Errorf("%s: doctor says %s", name, got)
		}
	}
}

func TestDoctorIsSilentAboutAWatchThatIsOff(t *testing.T) {
	t.Parallel()
	m := metrics.New()
	door := httptest.NewServer(promhttp.HandlerFor(m.Gatherer(), promhttp.HandlerOpts{}))
	t.Cleanup(door.Close)
	m.Swept("gemini", "shop", 0, 0, 4, 0, time.Now())
	e := watchExamined(5 * time.Minute)
	e.s.Config.Watch.Off = true
	if e.watching(t.Context(), door.URL); len(e.findings) != 0 {
		t.Errorf("doctor says %s", e.said())
	}
}
