package activities

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/tourniquet-ir/tourniquet/integrations/chat"
	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/mail"
	"github.com/tourniquet-ir/tourniquet/integrations/paging"
	"github.com/tourniquet-ir/tourniquet/integrations/secretstores"
	"github.com/tourniquet-ir/tourniquet/integrations/tickets"
	"github.com/tourniquet-ir/tourniquet/integrations/webhooks"
	"github.com/tourniquet-ir/tourniquet/internal/cards"
	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/evidence"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/metrics"
	"github.com/tourniquet-ir/tourniquet/internal/outbound"
	"github.com/tourniquet-ir/tourniquet/internal/report"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

// House is everything actions may reach. Ports that are not configured are nil, and the actions that need them say so.
type House struct {
	DB           *database.DB
	Evidence     *evidence.Store
	Providers    []Account
	Stores       []secretstores.Store
	Tracker      tickets.Tracker
	Resolver     tickets.Resolver
	Chat         chat.Chat
	Cards        *cards.Board // draws what Chat shows; nil draws nothing
	Rooms        bool         // every incident gets a channel of its own
	Metrics      *metrics.Metrics
	Pager        paging.Pager
	Mailer       mail.Mailer
	Hooks        webhooks.Sender
	Inventory    Inventory
	Watch        Sweeper                                                                   // nil where the watch is off
	Alarms       func(ctx context.Context, run string) (why string, png []byte, err error) // what the watch said before a run; nil: nothing
	Fetcher      SecretFetcher
	Outbound     outbound.Guard // which addresses of the inventory may be called
	People       People
	Policy       signoff.Policy
	Trusted      map[string]string // public keys of this installation's gateways
	Installation string
	World        string // production or drill
	Console      string // base URL of the console, for links
	KeyedHash    func([]byte) string
	Report       func(ctx context.Context, run string) ([]byte, error)
	Brief        func(ctx context.Context, run string) (report.Posting, error) // of the report, for tickets and chat; nil posts nothing
	// Trace begins a span below the one in ctx, about pairs of names and values; nil: nothing is traced.
	Trace func(ctx context.Context, name string, pairs ...string) (context.Context, func())
	Log   *slog.Logger
	Now   func() time.Time

	actions map[string]Action
}

// Account is one configured account of a provider.
type Account struct {
	Name string
	keys.Provider
}

// Inventory adds what the operator knows of a key.
type Inventory interface {
	Enrich(incident.Key) incident.Key
}

// SecretFetcher reads the leaked value again from the alert's own source, when it could not be read at the door.
type SecretFetcher interface {
	Fetch(ctx context.Context, link string) (secret []byte, secretType string, err error)
}

// People knows persons and groups.
type People interface {
	Person(id string) (incident.Person, bool)
	// Members of a group, now, as person ids, with the time at which the membership was read.
	Members(ctx context.Context, group string) ([]string, time.Time, error)
	// MayDecide returns "" or why this person may never decide.
	MayDecide(ctx context.Context, person string) (string, error)
	// Reach is whom to write to when nobody can say who is in a group now. It decides nothing.
	Reach(group string) []string
}

// provider finds the account that a key belongs to.
func (h *House) provider(k incident.Key) (keys.Provider, error) {
	for _, a := range h.Providers {
		if a.Provider.Name() == k.Provider && a.Name == k.Account {
			return a.Provider, nil
		}
	}
	return nil, keys.Permanent(fmt.Errorf("no account %q of provider %q is configured under providers", k.Account, k.Provider))
}

// store finds the store of a dependent.
func (h *House) store(d incident.Dependent) (secretstores.Store, error) {
	for _, s := range h.Stores {
		for _, kind := range s.Kinds() {
			if kind == d.Kind {
				return s, nil
			}
		}
	}
	return nil, keys.Permanent(fmt.Errorf("no secret store for dependents of kind %q is configured", d.Kind))
}
