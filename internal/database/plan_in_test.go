package database

import (
	"strings"
	"testing"
)

// A plan that reads every row grows with the records: a run would cost more each day.
func TestWhatEveryAlertAsksReadsTheRowsOfItsIncidentAlone(t *testing.T) {
	t.Parallel()
	d := openPlain(t)
	for _, query := range []string{
		`SELECT doc FROM runs WHERE incident = ? AND state <> 'done' ORDER BY n DESC LIMIT 1`,
		`SELECT count(*) FROM runs WHERE incident = ? AND state <> 'done'`,
		`SELECT n FROM runs WHERE incident = ? AND state = ? ORDER BY n DESC LIMIT 500`,
	} {
		if plan := planOf(t, d, query, []any{"inc-1", "done"}[:strings.Count(query, "?")]...); !strings.Contains(plan, "runs_incident (incident=?)") {
			t.Errorf("%s\n%s", query, plan)
		}
	}
}

// A page of a list reads what is on it, whatever became of all the others.
func TestAPageOfAListIsReadFromAnIndex(t *testing.T) {
	t.Parallel()
	d := openPlain(t)
	for index, page := range map[string]func() (string, []any){
		"requests_state (state=?": func() (string, []any) {
			return AskedFilter{Open: true, Limit: 50}.query("requests", "state IN (?, ?)", "open", "quorum")
		},
		"requests_run (run=?": func() (string, []any) {
			return AskedFilter{Run: "run-1", Open: true, Before: "rq", Limit: 50}.query("requests", "state IN (?, ?)", "open", "quorum")
		},
		"questions_open (answered=": func() (string, []any) {
			return AskedFilter{Open: true, Before: "q-1", Limit: 50}.query("questions", "answered = 0")
		},
		"questions_run (run=?":                              func() (string, []any) { return AskedFilter{Run: "run-1", Limit: 50}.query("questions", "answered = 0") },
		"alerts_fate (fate=?":                               func() (string, []any) { return alertsQuery("suppressed", 50, "al-1") },
		"SEARCH alerts USING INTEGER PRIMARY KEY (rowid<?)": func() (string, []any) { return alertsQuery("", 50, "al-1") },
	} {
		query, args := page()
		if plan := planOf(t, d, query, args...); !strings.Contains(plan, index) {
			t.Errorf("%s\n%s", query, plan)
		}
	}
}

func planOf(t *testing.T, d *DB, query string, args ...any) (plan string) {
	t.Helper()
	rows, err := d.reader.QueryContext(t.Context(), `EXPLAIN QUERY PLAN `+query, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var a, b, c int
		var line string
		if err := rows.Scan(&a, &b, &c, &line); err != nil {
			t.Fatal(err)
		}
		plan += line + "\n"
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return plan
}
