//go:build !slim

package engine

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/persistence/sql/sqlplugin/postgresql"
	"go.temporal.io/server/tools/common/schema"
	sqltool "go.temporal.io/server/tools/sql"
)

const (
	// postgresShards is fixed for the life of a database: the server writes down with how many it began.
	postgresShards  = 4
	postgresWithin  = time.Minute // to connect, and to make or upgrade every table
	postgresLock    = 7_406_131_815_002
	noSuchDatabase  = "3D000"
	visibilityAfter = "_visibility" // the name of the second database: the server insists on one
)

// postgresStore is two databases of a PostgreSQL. One embedded server at a time uses them.
type postgresStore struct {
	address string
	lists   string // the address of the second one
	main    config.SQL
	second  config.SQL
	lock    *pgx.Conn
}

func newPostgresStore(address string) (*postgresStore, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || strings.Trim(u.Path, "/") == "" || u.User == nil {
		return nil, errors.New("the address of the workflow engine's database is not understood; it has the form postgres://user:password@host:5432/name?sslmode=verify-full")
	}
	if u.Port() == "" {
		u.Host += ":5432"
	}
	password, _ := u.User.Password()
	attributes := map[string]string{}
	for name, values := range u.Query() {
		attributes[name] = values[0]
	}
	name := strings.Trim(u.Path, "/")
	s := &postgresStore{address: u.String()}
	s.main = config.SQL{
		PluginName: postgresql.PluginNamePGX, DatabaseName: name, ConnectAddr: u.Host, ConnectProtocol: "tcp",
		User: u.User.Username(), Password: password, ConnectAttributes: attributes, MaxConns: 20, MaxIdleConns: 20, MaxConnLifetime: time.Hour,
	}
	s.second = s.main
	s.second.DatabaseName, s.second.MaxConns, s.second.MaxIdleConns = name+visibilityAfter, 10, 10
	u.Path += visibilityAfter
	s.lists = u.String()
	return s, nil
}

func (s *postgresStore) persistence() config.Persistence {
	return config.Persistence{
		DefaultStore: "default", VisibilityStore: "visibility", NumHistoryShards: postgresShards,
		DataStores: map[string]config.DataStore{"default": {SQL: &s.main}, "visibility": {SQL: &s.second}},
	}
}

// prepare makes the databases and tables that are missing, and brings those of an earlier release up to date.
func (s *postgresStore) prepare(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, postgresWithin)
	defer cancel()
	for _, at := range []struct{ address, name string }{{s.address, s.main.DatabaseName}, {s.lists, s.second.DatabaseName}} {
		if err := ensureDatabase(ctx, at.address, at.name); err != nil {
			return err
		}
	}
	if err := s.alone(ctx); err != nil {
		return err
	}
	for _, at := range []struct {
		address string
		sql     *config.SQL
		schema  string
	}{{s.address, &s.main, "temporal"}, {s.lists, &s.second, "visibility"}} {
		if err := rename(ctx, at.address, at.sql.DatabaseName); err != nil {
			return err
		}
		if err := upgrade(at.sql, "postgresql/v12/"+at.schema, ""); err != nil {
			return fmt.Errorf("bringing the tables of the workflow engine's database %q up to date: %w", at.sql.DatabaseName, quiet(err, s.main.Password))
		}
	}
	return nil
}

// ensureDatabase makes a database when it is missing and we may.
func ensureDatabase(ctx context.Context, address, name string) error {
	c, err := pgx.Connect(ctx, address)
	if err == nil {
		return c.Close(ctx)
	}
	var refused *pgconn.PgError
	if !errors.As(err, &refused) || refused.Code != noSuchDatabase {
		return fmt.Errorf("the workflow engine's database %q cannot be reached: %w", name, plain(err))
	}
	u, err := url.Parse(address)
	if err != nil {
		return err
	}
	u.Path = "/postgres"
	c, err = pgx.Connect(ctx, u.String())
	if err == nil {
		defer func() { _ = c.Close(context.WithoutCancel(ctx)) }()
		_, err = c.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize())
	}
	if errors.As(err, &refused) && refused.Code == "42P04" { // somebody else was quicker
		return nil
	}
	if err != nil {
		return fmt.Errorf("the workflow engine's database %q does not exist, and this account may not make it (%w); run: createdb -O the account %s", name, plain(err), name)
	}
	return nil
}

// alone holds a lock for as long as its connection lives: two servers on one database would fight over its runs.
func (s *postgresStore) alone(ctx context.Context) error {
	c, err := pgx.Connect(ctx, s.address)
	if err != nil {
		return fmt.Errorf("the workflow engine's database %q cannot be reached: %w", s.main.DatabaseName, plain(err))
	}
	var mine bool
	for { // a killed process holds it until the server notices, which takes moments
		if err = c.QueryRow(ctx, "SELECT pg_try_advisory_lock($1)", int64(postgresLock)).Scan(&mine); err != nil || mine {
			break
		}
		select {
		case <-ctx.Done():
		case <-time.After(100 * time.Millisecond):
			continue
		}
		err = fmt.Errorf("another tourniquet runs its workflow engine on the database %q; stop it, or let this one use it: temporal.mode external", s.main.DatabaseName)
		break
	}
	if err == nil {
		// Rows of a killed server claim the shards for up to a minute, while runs stand still. Nobody else is alive here.
		_, err = c.Exec(ctx, "DO $$ BEGIN IF to_regclass('cluster_membership') IS NOT NULL THEN DELETE FROM cluster_membership; END IF; END $$")
	}
	if err != nil {
		return errors.Join(err, c.Close(context.WithoutCancel(ctx)))
	}
	s.lock = c
	return nil
}

func (s *postgresStore) close(ctx context.Context) error {
	if s.lock == nil {
		return nil
	}
	err := s.lock.Close(ctx)
	s.lock = nil
	return err
}

// rename lets tables that were restored from a backup under another name know their version: they keep it by the database's name.
func rename(ctx context.Context, address, name string) error {
	c, err := pgx.Connect(ctx, address)
	if err != nil {
		return fmt.Errorf("the workflow engine's database %q cannot be reached: %w", name, plain(err))
	}
	defer func() { _ = c.Close(context.WithoutCancel(ctx)) }()
	var there bool
	err = c.QueryRow(ctx, "SELECT to_regclass('schema_version') IS NOT NULL").Scan(&there)
	if err == nil && there {
		_, err = c.Exec(ctx, "UPDATE schema_version SET db_name = $1 WHERE NOT EXISTS (SELECT 1 FROM schema_version WHERE db_name = $1)", name)
	}
	if err != nil {
		return fmt.Errorf("the version of the tables in the workflow engine's database %q: %w", name, plain(err))
	}
	return nil
}

// upgrade makes the tables or applies what is new in this release; to stops at a version, for tests.
func upgrade(cfg *config.SQL, name, to string) error {
	quiet := log.NewNoopLogger()
	c, err := sqltool.NewConnection(cfg, quiet)
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := c.ReadSchemaVersion(); err != nil { // no table of versions yet
		if err := schema.NewSetupSchemaTask(c, &schema.SetupConfig{InitialVersion: "0.0"}, quiet).Run(); err != nil {
			return err
		}
	}
	return schema.NewUpdateSchemaTask(c, &schema.UpdateConfig{DBName: cfg.DatabaseName, SchemaName: name, TargetVersion: to}, quiet).Run()
}

// plain is what PostgreSQL or the network said, without the connection string that the driver puts before it.
func plain(err error) error {
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		return fmt.Errorf("%s (%s)", refused.Message, refused.Code)
	}
	for next := err; next != nil; next = errors.Unwrap(next) {
		err = next
	}
	return err
}

// quiet takes the password out of an error whose words are not ours.
func quiet(err error, password string) error {
	if password == "" || !strings.Contains(err.Error(), password) && !strings.Contains(err.Error(), url.QueryEscape(password)) {
		return err
	}
	return errors.New(strings.NewReplacer(password, "…", url.QueryEscape(password), "…").Replace(err.Error()))
}
