package database

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// table is one of ours, as both databases have it.
type table struct {
	name    string
	columns []string
	needs   []string // tables that its rows refer to
	counts  bool     // has a column n that counts up by itself
}

// query reads every record. That a file was left is none, nor where the records lie.
func (t table) query() string {
	q := `SELECT ` + strings.Join(t.columns, ", ") + ` FROM ` + t.name
	if t.name == "settings" {
		q += ` WHERE name NOT IN ('` + settingMovedTo + `', '` + settingHome + `')`
	}
	return q
}

// tablesOf lists the tables of an SQLite file, each behind those that it refers to. Whoever adds a migration need not know of moves.
func tablesOf(ctx context.Context, q querier) ([]table, error) {
	word := func(s scanner) (v string, err error) { err = s.Scan(&v); return v, err }
	names, err := list(ctx, q, word, `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> 'goose_db_version' ORDER BY name`)
	if err != nil {
		return nil, err
	}
	var out []table
	for _, name := range names {
		t := table{name: name}
		if t.columns, err = list(ctx, q, word, `SELECT name FROM pragma_table_info(?) ORDER BY cid`, name); err != nil {
			return nil, err
		}
		if t.needs, err = list(ctx, q, word, `SELECT DISTINCT "table" FROM pragma_foreign_key_list(?) ORDER BY 1`, name); err != nil {
			return nil, err
		}
		t.counts = slices.Contains(t.columns, "n")
		out = append(out, t)
	}
	return inOrder(out)
}

// inOrder puts tables behind those that they need.
func inOrder(all []table) ([]table, error) {
	var out []table
	placed := map[string]bool{}
	for len(out) < len(all) {
		before := len(out)
		for _, t := range all {
			waits := slices.ContainsFunc(t.needs, func(n string) bool { return n != t.name && !placed[n] })
			if !placed[t.name] && !waits {
				placed[t.name] = true
				out = append(out, t)
			}
		}
		if len(out) == before {
			return nil, errors.New("its tables refer to each other in a circle")
		}
	}
	return out, nil
}

// copy streams the rows of a table into the connection that holds the transaction.
func (t table) copy(ctx context.Context, from querier, to *pgx.Conn) error {
	query := t.query()
	if t.name == "ledger" {
		query += ` ORDER BY run, seq`
	} else if t.counts {
		query += ` ORDER BY n`
	}
	rows, err := from.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // rows.Err below is the verdict
	_, err = to.CopyFrom(ctx, pgx.Identifier{t.name}, t.columns, pgx.CopyFromFunc(func() ([]any, error) {
		if !rows.Next() {
			return nil, rows.Err()
		}
		row, err := t.row(rows)
		return row, err
	}))
	return err
}

// row reads one row as PostgreSQL would hold it.
func (t table) row(s scanner) ([]any, error) {
	row, into := make([]any, len(t.columns)), make([]any, len(t.columns))
	for i := range row {
		into[i] = &row[i]
	}
	if err := s.Scan(into...); err != nil {
		return nil, err
	}
	for i, v := range row {
		if text, ok := v.(string); ok {
			row[i] = plainText(text)
		}
	}
	return row, nil
}

// sum is what a table holds, whatever the order of its rows: their number, and the exclusive or of their digests. Rows differ,
// because each table has a key.
type sum struct {
	rows   int64
	digest [sha256.Size]byte
}

func (s *sum) add(digest [sha256.Size]byte) {
	s.rows++
	for i := range s.digest {
		s.digest[i] ^= digest[i]
	}
}

// total is the sum as one digest, bound to a name.
func (s sum) total(name string) [sha256.Size]byte {
	return sha256.Sum256(fmt.Appendf(nil, "%s %d %x", name, s.rows, s.digest))
}

func (s sum) String() string { return "sha256:" + hex.EncodeToString(s.digest[:]) }

// digest is over one row; every value says its type and length, so that no two rows read the same.
func digest(row []any) [sha256.Size]byte {
	h := sha256.New()
	for _, v := range row {
		switch v := v.(type) {
		case nil:
			_, _ = h.Write([]byte("0;"))
		case int64:
			_, _ = fmt.Fprintf(h, "i%d;", v)
		case string:
			_, _ = fmt.Fprintf(h, "t%d:%s;", len(v), v)
		case []byte:
			_, _ = fmt.Fprintf(h, "b%d:%x;", len(v), v)
		default:
			_, _ = fmt.Fprintf(h, "?%T %v;", v, v)
		}
	}
	return [sha256.Size]byte(h.Sum(nil))
}

// sumOf reads a whole table.
func (t table) sumOf(ctx context.Context, q querier) (s sum, err error) {
	rows, err := q.QueryContext(ctx, t.query())
	if err != nil {
		return s, err
	}
	defer func() { _ = rows.Close() }() // rows.Err below is the verdict
	for rows.Next() {
		row, err := t.row(rows)
		if err != nil {
			return s, err
		}
		s.add(digest(row))
	}
	return s, rows.Err()
}

// sums reads every table.
func (m Move) sums(ctx context.Context, q querier, plan []table) (out []sum, err error) {
	err = m.each(plan, "reading", func(t table) error {
		s, err := t.sumOf(ctx, q)
		out = append(out, s)
		return err
	})
	return out, err
}

// compare reads the target back.
func (m Move) compare(ctx context.Context, tx *txn, plan []table, sums []sum) error {
	i := 0
	return m.each(plan, "comparing", func(t table) error {
		got, err := t.sumOf(ctx, tx)
		if err == nil && got != sums[i] {
			err = fmt.Errorf("%d rows arrived of %d, or some are not what they were", got.rows, sums[i].rows)
		}
		i++
		return err
	})
}
