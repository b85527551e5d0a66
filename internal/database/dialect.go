package database

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"reflect"
	"strconv"
	"strings"

	"github.com/pressly/goose/v3"
)

// dialect is what differs between the two databases. Queries are written once, with ? and ?1 as SQLite has them.
type dialect struct {
	name     string
	goose    goose.Dialect
	postgres bool
}

var (
	sqlite   = dialect{name: "sqlite", goose: goose.DialectSQLite3}
	postgres = dialect{name: "postgres", goose: goose.DialectPostgres, postgres: true}
)

// pool is a set of connections that speaks our queries.
type pool struct {
	*sql.DB
	dialect  dialect
	prepared prepared
}

func newPool(db *sql.DB, d dialect) *pool {
	return &pool{DB: db, dialect: d, prepared: prepared{ready: map[string]*sql.Stmt{}, asked: map[string]bool{}}}
}

func (p *pool) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if s := p.statement(ctx, query); s != nil { //nolint:sqlclosecheck // it stays compiled as long as the pool is open
		return s.QueryContext(ctx, args...)
	}
	return p.DB.QueryContext(ctx, p.dialect.query(query), p.dialect.args(args)...)
}

func (p *pool) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	if s := p.statement(ctx, query); s != nil { //nolint:sqlclosecheck // it stays compiled as long as the pool is open
		return s.QueryRowContext(ctx, args...)
	}
	return p.DB.QueryRowContext(ctx, p.dialect.query(query), p.dialect.args(args)...)
}

// begin begins a transaction that writes.
func (p *pool) begin(ctx context.Context) (*txn, error) {
	p.compile(ctx)
	tx, err := p.BeginTx(ctx, nil)
	return &txn{Tx: tx, pool: p}, err
}

// snapshot begins a transaction that only reads, and in which nothing changes between two questions.
func (p *pool) snapshot(ctx context.Context) (*txn, error) {
	opts := &sql.TxOptions{ReadOnly: true}
	if p.dialect.postgres {
		opts.Isolation = sql.LevelRepeatableRead
	}
	tx, err := p.BeginTx(ctx, opts)
	return &txn{Tx: tx, pool: p}, err
}

// txn is a transaction that speaks our queries.
type txn struct {
	*sql.Tx
	pool *pool
}

func (t *txn) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if s := t.pool.within(ctx, t.Tx, query); s != nil { //nolint:sqlclosecheck // the end of the transaction closes it
		return s.QueryContext(ctx, args...)
	}
	d := t.pool.dialect
	return t.Tx.QueryContext(ctx, d.query(query), d.args(args)...)
}

func (t *txn) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	if s := t.pool.within(ctx, t.Tx, query); s != nil { //nolint:sqlclosecheck // the end of the transaction closes it
		return s.QueryRowContext(ctx, args...)
	}
	d := t.pool.dialect
	return t.Tx.QueryRowContext(ctx, d.query(query), d.args(args)...)
}

func (t *txn) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if s := t.pool.within(ctx, t.Tx, query); s != nil { //nolint:sqlclosecheck // the end of the transaction closes it
		return s.ExecContext(ctx, args...)
	}
	d := t.pool.dialect
	return t.Tx.ExecContext(ctx, d.query(query), d.args(args)...)
}

// query writes the places of arguments as the database wants them: ?2 becomes $2, and a bare ? the next number.
func (d dialect) query(q string) string {
	if !d.postgres {
		return q
	}
	var out strings.Builder
	out.Grow(len(q) + 16)
	quoted, last := false, 0
	for i := 0; i < len(q); i++ {
		if q[i] == '\'' {
			quoted = !quoted
		}
		if q[i] != '?' || quoted {
			out.WriteByte(q[i])
			continue
		}
		end := i + 1
		for end < len(q) && q[end] >= '0' && q[end] <= '9' {
			end++
		}
		n, err := strconv.Atoi(q[i+1 : end])
		if err != nil {
			n = last + 1
		}
		last = max(last, n)
		out.WriteByte('$')
		out.WriteString(strconv.Itoa(n))
		i = end - 1
	}
	return out.String()
}

// args brings arguments into a form that both databases take: truth is 1 or 0, and text is what PostgreSQL calls text.
func (d dialect) args(args []any) []any {
	if !d.postgres {
		return args
	}
	out := make([]any, len(args))
	for i, a := range args {
		if v, ok := a.(driver.Valuer); ok {
			if plain, err := v.Value(); err == nil {
				a = plain
			}
		}
		switch v := reflect.ValueOf(a); v.Kind() {
		case reflect.Bool:
			a = 0
			if v.Bool() {
				a = 1
			}
		case reflect.String:
			a = plainText(v.String())
		}
		out[i] = a
	}
	return out
}

// plainText is s where it is text. PostgreSQL refuses NUL and broken UTF-8, which a stranger may well send; quoted, two
// different ones stay different.
func plainText(s string) string {
	if strings.IndexByte(s, 0) < 0 && strings.ToValidUTF8(s, "") == s {
		return s
	}
	return "\uFFFD" + strconv.QuoteToASCII(s)
}
