package pagerduty_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/paging"
	"github.com/tourniquet-ir/tourniquet/integrations/paging/pagerduty"
	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
)

func roster(t *testing.T, h http.Handler, token string) *pagerduty.Roster {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	r, err := pagerduty.NewRoster(pagerduty.RosterOptions{Token: token, Endpoint: srv.URL})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestARosterTellsWhoseTurnItIsNow(t *testing.T) {
	t.Parallel()
	pd := sandbox.NewWorld(sandbox.Options{}).PagerDuty()
	pd.SetOnCall("PDAY", "PSEC", 1, "PANN")
	pd.SetOnCall("", "PSEC", 2, "PLEE")
	pd.SetOnCall("POTHER", "POPS", 1, "PEVE")
	r := roster(t, pd, pd.Token())
	for rota, want := range map[paging.Rota][]string{
		{Schedule: "PDAY"}: {"PANN"}, {Policy: "PSEC"}: {"PANN"}, {Policy: "PSEC", Level: 2}: {"PLEE"}, {Policy: "PSEC", Level: 3}: {}, {Schedule: "PNONE"}: {},
	} {
		if got, err := r.OnCall(t.Context(), rota); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v, %v, want %v", rota, got, err, want)
		}
	}
	pd.SetOnCall("PDAY", "PSEC", 1, "PBOB") // the shift ends
	if got, err := r.OnCall(t.Context(), paging.Rota{Schedule: "PDAY"}); err != nil || !slices.Equal(got, []string{"PBOB"}) {
		t.Errorf("after the change: %v, %v", got, err)
	}
	many := make([]string, 230)
	for i := range many {
		many[i] = fmt.Sprintf("P%03d", i)
	}
	pd.SetOnCall("PALL", "PALL", 1, many...)
	if got, err := r.OnCall(t.Context(), paging.Rota{Schedule: "PALL"}); err != nil || !slices.Equal(got, many) {
		t.Errorf("%d of %d people on three pages: %v", len(got), len(many), err)
	}
}

func TestARosterThatCannotAnswerSaysSoWithoutItsToken(t *testing.T) {
	t.Parallel()
	const token = "u+not-a-real-token"
	answers := func(status int, body string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "http://stranger.example/")
			w.WriteHeader(status)
			_, _ = w.Write([]byte(strings.ReplaceAll(body, "TOKEN", token)))
		})
	}
	for name, c := range map[string]struct {
		h         http.Handler
		permanent bool
	}{
		"wrong token":       {answers(401, `{"error":{"code":2006,"message":"TOKEN"}}`), true},
		"no right":          {answers(403, `{"error":{"code":2010,"message":"TOKEN"}}`), true},
		"gone":              {answers(404, `{"error":{"code":2100,"message":"TOKEN"}}`), true},
		"moved":             {answers(302, ``), true},
		"too fast":          {answers(429, `{"error":{"code":2020,"message":"TOKEN"}}`), false},
		"away":              {answers(500, `TOKEN`), false},
		"a page":            {answers(200, `<html>TOKEN`), false},
		"no list":           {answers(200, `{"error":{"message":"TOKEN"}}`), false},
		"pages without end": {answers(200, `{"oncalls":[],"more":true}`), true},
		"too large":         {answers(200, `{"oncalls":[{"user":{"id":"`+strings.Repeat("x", 2<<20)+`"}}]}`), false},
	} {
		got, err := roster(t, c.h, token).OnCall(t.Context(), paging.Rota{Schedule: "PDAY"})
		if err == nil || len(got) != 0 || keys.IsPermanent(err) != c.permanent || strings.Contains(err.Error(), token) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	for _, o := range []pagerduty.RosterOptions{{}, {Token: "x", Endpoint: "nothing"}, {Token: "x", Endpoint: "https://u:p@h"}} {
		if _, err := pagerduty.NewRoster(o); err == nil {
			t.Errorf("%+v was taken", o)
		}
	}
}
