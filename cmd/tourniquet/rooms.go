package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"go.uber.org/fx"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"

	"github.com/tourniquet-ir/tourniquet/activities"
	"github.com/tourniquet-ir/tourniquet/integrations/chat"
	"github.com/tourniquet-ir/tourniquet/integrations/mail"
	"github.com/tourniquet-ir/tourniquet/integrations/paging"
	"github.com/tourniquet-ir/tourniquet/integrations/secretstores"
	"github.com/tourniquet-ir/tourniquet/integrations/tickets"
	"github.com/tourniquet-ir/tourniquet/integrations/webhooks"
	"github.com/tourniquet-ir/tourniquet/internal/cards"
	"github.com/tourniquet-ir/tourniquet/internal/config"
	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/diag"
	"github.com/tourniquet-ir/tourniquet/internal/engine"
	"github.com/tourniquet-ir/tourniquet/internal/evidence"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/inventory"
	"github.com/tourniquet-ir/tourniquet/internal/lookout"
	"github.com/tourniquet-ir/tourniquet/internal/metrics"
	"github.com/tourniquet-ir/tourniquet/internal/people"
	"github.com/tourniquet-ir/tourniquet/internal/report"
	"github.com/tourniquet-ir/tourniquet/internal/seal"
	"github.com/tourniquet-ir/tourniquet/internal/signals"
	"github.com/tourniquet-ir/tourniquet/internal/starter"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
	"github.com/tourniquet-ir/tourniquet/playbooks"
	"github.com/tourniquet-ir/tourniquet/workflows"
)

// dataDir is the folder of keys, databases and evidence.
func dataDir(c *config.Config) string { return c.At(c.Server.DataDir) }

// lockData keeps a second process out before anything is opened or changed. Where nothing of what we change lies in the directory,
// several may use it.
func lockData(s settings, lc fx.Lifecycle) (*engine.DirLock, error) {
	if err := s.Role.fits(s.Config); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dataDir(s.Config), 0o700); err != nil {
		return nil, fmt.Errorf("the data directory cannot be made: %w", err)
	}
	if shared(s.Config) {
		return nil, nil //nolint:nilnil // nothing to lock
	}
	lock, err := engine.LockDir(dataDir(s.Config))
	if err != nil {
		return nil, err
	}
	lc.Append(fx.StopHook(lock.Release))
	return lock, nil
}

// ringPath and signerPath are where the key files lie unless the configuration says otherwise.
func ringPath(c *config.Config) string {
	if c.Encryption.KeyRing != "" {
		return c.At(c.Encryption.KeyRing)
	}
	return filepath.Join(dataDir(c), "keyring.json")
}

func signerPath(c *config.Config) string {
	if c.Encryption.SigningKey != "" {
		return c.At(c.Encryption.SigningKey)
	}
	return filepath.Join(dataDir(c), "signing.json")
}

func openRing(s settings, _ *engine.DirLock) (*seal.Ring, error) {
	if s.Config.Temporal.Mode == "external" {
		return seal.Load(ringPath(s.Config)) // made by hand, because every process must share it
	}
	return seal.LoadOrCreate(ringPath(s.Config), rand.Reader)
}

func openSigner(s settings, _ *engine.DirLock) (*seal.Signer, error) {
	if shared(s.Config) {
		return seal.LoadSigner(signerPath(s.Config)) // made by hand, because workers must know its public half
	}
	return seal.LoadOrCreateSigner(signerPath(s.Config))
}

// databaseAt is the file or the address of our own records.
func databaseAt(s settings) (string, error) {
	if s.Config.Database.Driver != "postgres" {
		return filepath.Join(dataDir(s.Config), "tourniquet.db"), nil
	}
	at, err := s.Config.Database.URL.Resolve(s.Env)
	switch {
	case err != nil:
		return "", fmt.Errorf("database.url: %w", err)
	case !database.IsPostgres(at):
		return "", errors.New("database.url: the value behind it does not begin with postgres://")
	}
	return at, nil
}

func openDatabase(s settings, ring *seal.Ring, lc fx.Lifecycle) (*database.DB, error) {
	ctx := context.Background()
	at, err := databaseAt(s)
	if err != nil {
		return nil, err
	}
	db, err := database.Open(ctx, at, ring.Box())
	if err != nil {
		return nil, err
	}
	lc.Append(fx.StopHook(db.Close))
	if err := db.CheckRing(ctx); err != nil {
		return nil, err
	}
	restored, err := db.ComeHome(ctx)
	if restored {
		s.Log.Warn("these records came out of a backup: calls that were signed before are asked anew, and who is asked should look at what was done since the backup")
	}
	return db, err
}

func openEvidence(s settings, lc fx.Lifecycle) (*evidence.Store, error) {
	url := s.Config.Evidence.URL
	if url == "" {
		url = "file://" + filepath.ToSlash(filepath.Join(dataDir(s.Config), "evidence")) + "?metadata=skip&create_dir=true"
	}
	ev, err := evidence.Open(context.Background(), url)
	if err == nil {
		lc.Append(fx.StopHook(ev.Close))
	}
	return ev, err
}

func credentialsFrom(ctx context.Context, path, scope string) (oauth2.TokenSource, error) {
	body, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("credentials_file: %w", err)
	}
	for _, kind := range []google.CredentialsType{google.ServiceAccount, google.AuthorizedUser, google.ImpersonatedServiceAccount, google.ExternalAccount} {
		if c, err := google.CredentialsFromJSONWithType(ctx, body, kind, scope); err == nil {
			return c.TokenSource, nil
		}
	}
	return nil, fmt.Errorf("credentials_file %q is not a credentials file of Google", path)
}

func inventoryOf(s settings) (*inventory.Inventory, error) {
	if s.Config.Inventory.File == "" {
		return &inventory.Inventory{}, nil
	}
	path := s.Config.At(s.Config.Inventory.File)
	body, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("inventory.file: %w", err)
	}
	inv, faults := inventory.Load(path, body)
	if diag.HasErrors(faults) {
		return nil, fmt.Errorf("the inventory has faults:\n%s", diag.Text(body, faults))
	}
	return inv, nil
}

func directory(s settings, c chat.Chat) (*people.Directory, error) {
	list := make([]incident.Person, 0, len(s.Config.People))
	for _, p := range s.Config.People {
		list = append(list, incident.Person{ID: p.ID, Name: p.Name, Slack: p.Slack, Email: p.Email, PagerDuty: p.PagerDuty, Subject: p.Subject, Roles: p.Roles})
	}
	d, err := people.New(list, s.Config.Groups, c, time.Now)
	if err != nil {
		return nil, err
	}
	if s.Config.Slack != nil {
		d.Remember(time.Duration(s.Config.Slack.Remember))
	}
	r, err := roster(s)
	if err != nil {
		return nil, err
	}
	if r != nil {
		d.Ask(r)
	}
	return d, nil
}

func startEngine(s settings, ring *seal.Ring, lock *engine.DirLock, tracing *signals.Tracing, lc fx.Lifecycle) (*engine.Engine, error) {
	t := s.Config.Temporal
	cfg := engine.Config{
		DataDir: dataDir(s.Config), Lock: lock, Namespace: t.Namespace, Logger: s.Log,
		DataConverter: seal.DataConverter(ring), FailureConverter: seal.FailureConverter(ring),
	}
	var err error
	if cfg.Interceptor, err = tracing.Interceptor(); err != nil {
		return nil, err
	}
	if cfg.Postgres, err = t.Database.Resolve(s.Env); err != nil {
		return nil, fmt.Errorf("temporal.database_url: %w", err)
	}
	if t.Mode == "external" {
		key, err := t.APIKey.Resolve(s.Env)
		if err != nil {
			return nil, fmt.Errorf("temporal.api_key: %w", err)
		}
		cfg.External = &engine.External{Address: t.Address, Namespace: t.Namespace, APIKey: key}
		if t.TLS != nil {
			cfg.External.TLS = &engine.TLSFiles{Cert: s.Config.At(t.TLS.Cert), Key: s.Config.At(t.TLS.Key), CA: s.Config.At(t.TLS.CA), ServerName: t.TLS.ServerName}
		}
	}
	eng, err := engine.Start(context.Background(), cfg)
	if err == nil {
		lc.Append(fx.StopHook(eng.Close))
	}
	return eng, err
}

func temporalClient(e *engine.Engine) client.Client { return e.Client() }

// languageWorld is what playbooks are checked against.
func languageWorld(c *config.Config) playbooks.World {
	sizes := map[string]int{}
	for name, g := range c.Groups {
		sizes[name] = len(g.People)
		if g.Asked() {
			sizes[name] = -1
		}
	}
	return playbooks.World{Actions: activities.Catalog(), Groups: sizes, Offers: offers(), Configured: c.Providers.Names()}
}

// libraryFolder is where the playbooks lie; path is empty for those that ship with the binary.
func libraryFolder(s settings) (dir fs.FS, path string, err error) {
	if s.Config.Playbooks.Dir == "" {
		dir, err = fs.Sub(playbooks.Library, "library")
		return dir, "", err
	}
	path = s.Config.At(s.Config.Playbooks.Dir)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, "", fmt.Errorf("playbooks.dir: there is no folder %q", path)
	}
	return os.DirFS(path), path, nil
}

func library(s settings) (starter.Library, error) {
	dir, _, err := libraryFolder(s)
	if err != nil {
		return starter.Library{}, err
	}
	return starter.Load(dir, languageWorld(s.Config))
}

// shelf reads the playbooks, and reads them again when their files change.
func shelf(s settings, lc fx.Lifecycle) (*starter.Shelf, error) {
	dir, path, err := libraryFolder(s)
	if err != nil {
		return nil, err
	}
	sh, err := starter.OpenShelf(dir, languageWorld(s.Config))
	if err != nil || path == "" {
		return sh, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	lc.Append(fx.Hook{
		OnStart: func(context.Context) error {
			go func() { defer close(done); sh.Watch(ctx, path, starter.DefaultPace(), s.Log) }()
			return nil
		},
		OnStop: func(context.Context) error { cancel(); <-done; return nil },
	})
	return sh, nil
}

// houseParams are the rooms that actions reach into.
type houseParams struct {
	fx.In
	Settings  settings
	DB        *database.DB
	Evidence  *evidence.Store
	Accounts  []activities.Account
	Stores    []secretstores.Store
	Tracker   tickets.Tracker `optional:"true"`
	GitHub    gitHubPorts
	Chat      chat.Chat    `optional:"true"`
	Pager     paging.Pager `optional:"true"`
	Mailer    mail.Mailer  `optional:"true"`
	Hooks     webhooks.Sender
	Cards     *cards.Board
	Metrics   *metrics.Metrics
	Inventory *inventory.Inventory
	Lookout   *lookout.Lookout
	People    *people.Directory
	Trusted   trusted
	Tracing   *signals.Tracing
}

func house(p houseParams) (*activities.House, error) {
	id, err := p.DB.Installation(context.Background())
	if err != nil {
		return nil, err
	}
	guard, err := p.Settings.Config.Outbound.Guard()
	if err != nil {
		return nil, err
	}
	h := &activities.House{
		DB: p.DB, Evidence: p.Evidence, Providers: p.Accounts, Stores: p.Stores, Tracker: p.Tracker, Chat: p.Chat, Pager: p.Pager,
		Mailer: p.Mailer, Hooks: p.Hooks, Outbound: guard, Inventory: p.Inventory, People: p.People, Policy: p.Settings.Config.Policy, Trusted: p.Trusted,
		Installation: id, World: p.Settings.World, Console: p.Settings.Config.URL(), Log: p.Settings.Log, Now: time.Now,
		Cards: p.Cards, Rooms: p.Settings.Config.Slack != nil && p.Settings.Config.Slack.Rooms, Metrics: p.Metrics,
		Alarms: p.Lookout.Alarm,
		Report: func(ctx context.Context, run string) ([]byte, error) { return report.Markdown(ctx, p.DB, run) },
		Trace:  p.Tracing.Start,
		Brief:  func(ctx context.Context, run string) (report.Posting, error) { return report.Brief(ctx, p.DB, run) },
	}
	if !p.Settings.Config.Watch.Off {
		h.Watch = p.Lookout
	}
	if p.GitHub.Alerts != nil {
		h.Fetcher, h.Resolver = p.GitHub.Alerts, p.GitHub.Alerts
	}
	return h, h.Open()
}

// boardParams: Chat may be missing.
type boardParams struct {
	fx.In
	Settings settings
	DB       *database.DB
	Chat     chat.Chat `optional:"true"`
}

// cardBoard draws what the chat shows of every request.
func cardBoard(p boardParams) *cards.Board { return cards.New(p.DB, p.Chat, p.Settings.Log) }

// keepBurn refreshes the money on open cards.
func keepBurn(b *cards.Board, h *activities.House, lc fx.Lifecycle) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	lc.Append(fx.Hook{
		OnStart: func(context.Context) error {
			go func() { defer close(done); b.KeepBurn(ctx, h.Money) }()
			return nil
		},
		OnStop: func(context.Context) error { cancel(); <-done; return nil },
	})
}

func runWorker(c client.Client, h *activities.House, lc fx.Lifecycle) {
	opts := engine.WorkerOptions()
	opts.Interceptors = append(opts.Interceptors, engine.Watch([]string{wire.SignalAlerts, wire.SignalRestored}, func(ctx context.Context, s engine.Stray) {
		h.Refused(ctx, s.WorkflowID, s.RunID, s.Kind, s.Name, s.Code, s.Why)
	}))
	w := worker.New(c, wire.TaskQueue, opts)
	w.RegisterWorkflowWithOptions(workflows.Respond, workflow.RegisterOptions{Name: wire.Respond})
	w.RegisterWorkflowWithOptions(workflows.Sweep, workflow.RegisterOptions{Name: wire.SweepName})
	h.Register(w)
	lc.Append(fx.StartStopHook(w.Start, w.Stop))
}
