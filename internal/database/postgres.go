package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

const (
	// mostConnections is for one process: a few dozen processes fit into a PostgreSQL with its default of 100.
	mostConnections = 12
	connectWithin   = 10 * time.Second
	// migrationLock lets one process at a time change the tables. The number is arbitrary and must never change.
	migrationLock = 7_406_131_815_001
)

// IsPostgres tells the address of a PostgreSQL from the path of a file.
func IsPostgres(where string) bool {
	return strings.HasPrefix(where, "postgres://") || strings.HasPrefix(where, "postgresql://")
}

// openPostgres connects. The address holds a password, so errors name host and database alone.
func openPostgres(ctx context.Context, address string, box Box) (*DB, error) {
	d, err := connectPostgres(ctx, address, box)
	if err != nil {
		return nil, err
	}
	if err := d.migrate(ctx); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

func connectPostgres(ctx context.Context, address string, box Box) (*DB, error) {
	cfg, err := pgx.ParseConfig(address)
	if err != nil {
		return nil, errors.New("the address of the database is not understood; it has the form postgres://user:password@host:5432/name?sslmode=verify-full")
	}
	if cfg.ConnectTimeout == 0 {
		cfg.ConnectTimeout = connectWithin
	}
	for name, value := range map[string]string{
		"application_name": "tourniquet", "lock_timeout": "10s", "statement_timeout": "60s", "idle_in_transaction_session_timeout": "60s",
		"tcp_keepalives_idle": "15", "tcp_keepalives_interval": "5", "tcp_keepalives_count": "3",
		"synchronous_commit": "on", // whatever the server's default is: an acknowledged alert is on a disk
	} {
		if _, said := cfg.RuntimeParams[name]; !said || name == "synchronous_commit" {
			cfg.RuntimeParams[name] = value
		}
	}
	all := newPool(stdlib.OpenDB(*cfg), postgres)
	all.SetMaxOpenConns(mostConnections)
	all.SetMaxIdleConns(mostConnections)
	all.SetConnMaxIdleTime(5 * time.Minute)
	d := &DB{dialect: postgres, writer: all, reader: all, box: box, path: nameOf(address), now: time.Now, writes: &together{turn: make(chan struct{}, 1)}}
	if err := all.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("database %q cannot be reached: %w", d.path, withoutSecrets(err)), all.Close())
	}
	return d, nil
}

// Examine looks at a PostgreSQL and changes nothing. It says in words what it found: no tables yet, or which version of them.
func Examine(ctx context.Context, address string, box Box) (found string, err error) {
	d, err := connectPostgres(ctx, address, box)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	var made bool
	if err := d.reader.QueryRowContext(ctx, `SELECT to_regclass('goose_db_version') IS NOT NULL`).Scan(&made); err != nil {
		return "", fmt.Errorf("database %q: %w", d.path, withoutSecrets(err))
	}
	if !made {
		var may bool
		err := d.reader.QueryRowContext(ctx, `SELECT has_schema_privilege(current_schema(), 'CREATE')`).Scan(&may)
		if err != nil || !may {
			return "", fmt.Errorf("database %q has no tables and this account may not make them; run: GRANT CREATE ON SCHEMA public TO the account", d.path)
		}
		return d.path + " has no tables yet; they are made at the first start", nil
	}
	var version int64
	if err := d.reader.QueryRowContext(ctx, `SELECT COALESCE(max(version_id), 0) FROM goose_db_version`).Scan(&version); err != nil {
		return "", fmt.Errorf("database %q: %w", d.path, withoutSecrets(err))
	}
	if err := d.sealedBy(ctx); err != nil {
		return "", err
	}
	return fmt.Sprintf("%s has its tables in version %d", d.path, version), nil
}

// nameOf is the address without its password and parameters.
func nameOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "postgres"
	}
	return u.Scheme + "://" + u.Host + u.Path
}

// withoutSecrets keeps what the driver says of the server and drops the connection string that it repeats.
func withoutSecrets(err error) error {
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		return fmt.Errorf("%s (%s)", refused.Message, refused.Code)
	}
	for next := err; next != nil; next = errors.Unwrap(next) {
		err = next
	}
	return err
}

// alone runs fn while no other process of this database does.
func alone(ctx context.Context, db *sql.DB, fn func() error) error {
	c, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	for { // not pg_advisory_lock: it would run into lock_timeout while another process migrates
		var mine bool
		if err := c.QueryRowContext(ctx, `SELECT pg_try_advisory_lock($1)`, int64(migrationLock)).Scan(&mine); err != nil {
			return err
		}
		if mine {
			break
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("another process is changing the tables: %w", ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
	err = fn()
	_, unlock := c.ExecContext(context.WithoutCancel(ctx), `SELECT pg_advisory_unlock($1)`, int64(migrationLock))
	return errors.Join(err, unlock)
}
