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
		if plan := planOf(t, d, query); !strings.Contains(plan, "runs_incident (incident=?)") {
			t.Errorf("%s\n%s", query, plan)
		}
	}
}

func planOf(t *testing.T, d *DB, query string) (plan string) {
	t.Helper()
	rows, err := d.reader.QueryContext(t.Context(), `EXPLAIN QUERY PLAN `+query, "inc-1", "done")
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
