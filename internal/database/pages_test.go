package database_test

import (
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

// asked keeps n sign-offs and n questions of two runs; each third is closed.
func asked(t *testing.T, d *database.DB, n int) {
	t.Helper()
	for i := range n {
		v, q := view(), database.Question{ID: fmt.Sprint("q-", i), Run: fmt.Sprint("run-", i%2)}
		v.Request, v.Envelope.Run = fmt.Sprint("rq-", i), q.Run
		if i%4 == 1 {
			v.State = signoff.StateQuorum // it waits as well
		}
		if i%3 == 2 {
			v.State, q.At = signoff.StateDone, noon()
		}
		must(t, d.PutRequest(t.Context(), v))
		must(t, d.PutQuestion(t.Context(), q))
	}
}

// walk reads page after page; between two of them something happens.
func walk(t *testing.T, most int, page func(before string) []string, between func(last string)) (all []string) {
	t.Helper()
	for before := ""; ; before = all[len(all)-1] {
		items := page(before)
		if all = append(all, items...); len(items) < most {
			return all
		}
		if len(items) > most {
			t.Fatalf("a page of %d holds %d", most, len(items))
		}
		between(all[len(all)-1])
	}
}

func TestSignoffsAndQuestionsAreReadPageAfterPage(t *testing.T) {
	t.Parallel()
	d, _ := open(t)
	ctx := t.Context()
	asked(t, d, 23)
	request := func(v signoff.View) string { return v.Request }
	question := func(q database.Question) string { return q.ID }
	quiet := func(string) {}
	for _, f := range []database.AskedFilter{{}, {Open: true}, {Run: "run-1"}, {Run: "run-1", Open: true}, {Run: "run-none"}} {
		f.Limit = 3
		want := names(got[[]signoff.View](t)(d.Requests(ctx, f.Run, f.Open)), request)
		if all := walk(t, 3, func(before string) []string {
			f.Before = before
			return names(got[[]signoff.View](t)(d.RequestsPage(ctx, f)), request)
		}, quiet); !slices.Equal(all, want) || len(want) == 0 && f.Run != "run-none" {
			t.Errorf("%+v: the pages hold %v, and all are %v", f, all, want)
		}
		want = names(got[[]database.Question](t)(d.Questions(ctx, f.Run, f.Open)), question)
		if all := walk(t, 3, func(before string) []string {
			f.Before = before
			return names(got[[]database.Question](t)(d.QuestionsPage(ctx, f)), question)
		}, quiet); !slices.Equal(all, want) || len(want) == 0 && f.Run != "run-none" {
			t.Errorf("%+v: the pages hold %v, and all are %v", f, all, want)
		}
	}
	if list := got[[]signoff.View](t)(d.RequestsPage(ctx, database.AskedFilter{Before: "rq-none"})); len(list) != 0 {
		t.Errorf("after one that there is not come %d", len(list))
	}
}

// Whoever reads the list of what waits while people decide misses none of the others, and sees none twice.
func TestWhatIsDecidedBetweenTwoPagesHidesNothing(t *testing.T) {
	t.Parallel()
	d, _ := open(t)
	ctx := t.Context()
	asked(t, d, 23)
	request := func(v signoff.View) string { return v.Request }
	want := names(got[[]signoff.View](t)(d.Requests(ctx, "", true)), request)
	all := walk(t, 3, func(before string) []string {
		return names(got[[]signoff.View](t)(d.RequestsPage(ctx, database.AskedFilter{Open: true, Before: before, Limit: 3})), request)
	}, func(last string) {
		must(t, d.SetRequest(ctx, last, func(v *signoff.View) error { v.State = signoff.StateDone; return nil }))
	})
	if !slices.Equal(all, want) || len(want) < 10 {
		t.Errorf("read %v, there were %v", all, want)
	}
}

func names[T any](list []T, name func(T) string) []string {
	out := []string{}
	for _, v := range list {
		out = append(out, name(v))
	}
	return out
}

const (
	manyAlerts = 100_000
	rare       = 3
)

// Without an index of its own, a rare fate is looked for in all the alerts that met another.
func TestARareFateIsReadFromItsIndexAlone(t *testing.T) {
	t.Parallel()
	d, where := open(t)
	ctx := t.Context()
	first := got[database.Stored](t)(d.StoreAlert(ctx, incident.Finding{}, alert("a"), byID("a")))
	raw := beside(t, where)
	numbers := `WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < %d)`
	_, err := raw.ExecContext(ctx, fmt.Sprintf(numbers+` INSERT INTO alerts (id, source, incident, opened, alert, finding, received_at, fate, dispatched)
		SELECT 'al-' || i, source, incident, 0, alert, finding, received_at, CASE WHEN i <= %d THEN 'suppressed' ELSE 'started' END, 1 FROM c, alerts ORDER BY i`, manyAlerts, rare))
	must(t, err)
	if n := len(got[[]database.Received](t)(d.AlertsOfFate(ctx, incident.FateSuppressed, 50, ""))); n != rare {
		t.Errorf("%d alerts of the rare fate, want %d", n, rare)
	}
	if n := len(got[[]database.Received](t)(d.AlertsOfFate(ctx, incident.FateStored, 50, ""))); n != 1 {
		t.Errorf("%d alerts are as %q came, want it alone", n, first.AlertID)
	}
	_, err = raw.ExecContext(ctx, `ANALYZE alerts`)
	must(t, err)
	for _, query := range []string{
		`SELECT alert FROM alerts WHERE fate = 'suppressed' ORDER BY n DESC LIMIT 50`,
		`SELECT alert FROM alerts WHERE fate = 'suppressed' AND n < (SELECT n FROM alerts WHERE id = 'al-3') ORDER BY n DESC LIMIT 50`,
	} {
		if plan := explained(t, raw, where, query); !strings.Contains(plan, "alerts_fate") {
			t.Errorf("%s\n%s", query, plan)
		}
	}
}

// explained is how a database would answer a query.
func explained(t *testing.T, raw *sql.DB, where, query string) (plan string) {
	t.Helper()
	explain, line := `EXPLAIN QUERY PLAN `, ""
	into := []any{new(int), new(int), new(int), &line}
	if database.IsPostgres(where) {
		explain, into = `EXPLAIN `, into[3:]
	}
	rows, err := raw.QueryContext(t.Context(), explain+query)
	must(t, err)
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		must(t, rows.Scan(into...))
		plan += line + "\n"
	}
	must(t, rows.Err())
	return plan
}
