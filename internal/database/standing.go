package database

import (
	"context"
	"fmt"
)

// Count is how many records share two properties: of alerts their source and fate, of runs their state and outcome.
type Count struct {
	A, B string
	N    int
}

// Standing is how everything stands, in numbers.
type Standing struct {
	Alerts, Runs             []Count
	OpenSignoffs, OpenAsking int
}

// Standing counts.
func (d *DB) Standing(ctx context.Context) (s Standing, err error) {
	scan := func(sc scanner) (c Count, err error) {
		err = sc.Scan(&c.A, &c.B, &c.N)
		return c, err
	}
	if s.Alerts, err = list(ctx, d.reader, scan, `SELECT source, fate, count(*) FROM alerts GROUP BY source, fate ORDER BY source, fate`); err != nil {
		return s, fmt.Errorf("alerts by fate: %w", err)
	}
	if s.Runs, err = list(ctx, d.reader, scan, `SELECT state, outcome, count(*) FROM runs GROUP BY state, outcome ORDER BY state, outcome`); err != nil {
		return s, fmt.Errorf("runs by state: %w", err)
	}
	for query, n := range map[string]*int{
		`SELECT count(*) FROM requests WHERE state = 'open'`: &s.OpenSignoffs, `SELECT count(*) FROM questions WHERE answered = 0`: &s.OpenAsking,
	} {
		if err := d.reader.QueryRowContext(ctx, query).Scan(n); err != nil {
			return s, fmt.Errorf("what is open: %w", err)
		}
	}
	return s, nil
}
