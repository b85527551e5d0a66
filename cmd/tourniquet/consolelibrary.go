package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/tourniquet-ir/tourniquet/activities"
	"github.com/tourniquet-ir/tourniquet/internal/config"
	"github.com/tourniquet-ir/tourniquet/internal/console"
	"github.com/tourniquet-ir/tourniquet/internal/lookout"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

// library is what the console shows beside the records.
func (p routeParams) library() console.Library {
	c := p.Settings.Config
	return console.Library{
		Books: p.books, Compile: p.Books.Compile, Tested: newBenchwork(p.Settings).of, Seats: c.Policy.Undoable.DefaultSignoff, Policy: c.Policy,
		Actions: actionCards(), Keys: p.keys, Setup: p.setup, History: p.readHistory,
	}
}

func (p routeParams) books() console.Books {
	out := console.Books{Programs: p.Books.Library().Programs}
	if t := serving(p.Books).Trouble; t != nil {
		out.Trouble, out.Since = t.Error, t.Since
	}
	return out
}

func actionCards() []console.ActionCard {
	var out []console.ActionCard
	for _, a := range activities.All() {
		card := console.ActionCard{Card: a.Card}
		for _, w := range abilities(a) {
			card.With = append(card.With, console.Ability{Who: w.Who, Reach: w.Reach, What: w.What, Undo: w.Undo, Why: w.Why, Can: w.Can})
		}
		out = append(out, card)
	}
	return out
}

// keys joins the inventory with what the watch sees.
func (p routeParams) keys(ctx context.Context) ([]console.KnownKey, error) {
	seen, err := p.Lookout.Statuses(ctx)
	if err != nil {
		return nil, err
	}
	var out []console.KnownKey
	for _, e := range p.Inventory.Entries() {
		k := console.KnownKey{Provider: e.Provider, Account: e.Account, ID: e.ID, Hash: e.Hash, Owner: e.Owner, Critical: e.Critical, Dependents: e.Dependents}
		for i := range seen {
			if seen[i].Record.Key.Provider == e.Provider && e.ID != "" && seen[i].Record.Key.ID == e.ID {
				watchedKey(&k, seen[i])
			}
		}
		out = append(out, k)
	}
	return out, nil
}

func watchedKey(k *console.KnownKey, s lookout.Status) {
	k.Watched, k.Seen, k.Now = true, s.Good, fmt.Sprintf("$%.2f", s.Now)
	if s.Usual != nil {
		k.Usual = fmt.Sprintf("$%.2f", *s.Usual)
	}
	if s.Failures > 0 {
		k.Trouble = fmt.Sprintf("not readable, %d times in a row: %s", s.Failures, s.Error)
	}
}

// setup tells how the installation is set up. Secrets are references in the configuration and do not come here.
func (p routeParams) setup(ctx context.Context) (console.Setup, error) {
	c := p.Settings.Config
	d := console.Setup{Mode: c.Mode, Version: p.version(), Persons: p.Desk.People.Persons(), Tokens: map[string]console.Token{}}
	tokens, err := p.DB.Tokens(ctx, "")
	if err != nil {
		return d, err
	}
	for _, t := range slices.Backward(tokens) { // oldest first, so that the newest stays
		if t.Refusal(time.Now()) == "" {
			d.Tokens[t.Person] = console.Token{IssuedBy: t.IssuedBy, At: t.At, Until: t.Until, Count: d.Tokens[t.Person].Count + 1}
		}
	}
	groups := p.Desk.People.GroupsByName()
	for _, name := range slices.Sorted(maps.Keys(groups)) {
		row := console.GroupRow{Name: name, Usergroup: groups[name].SlackUsergroup}
		if row.Members, _, err = p.Desk.People.Members(ctx, name); err != nil {
			row.Trouble = err.Error()
		}
		d.Groups = append(d.Groups, row)
	}
	for _, name := range slices.Sorted(maps.Keys(c.Sources)) {
		d.Sources = append(d.Sources, console.SourceRow{Name: name, Trust: c.Sources[name].Trust, Proof: proofWords(c.Sources[name])})
	}
	for _, a := range p.Accounts {
		d.Accounts = append(d.Accounts, a.Provider.Name()+" "+a.Name)
	}
	if o := c.Server.OIDC; o != nil {
		d.SignOn = o.Issuer
	}
	policy, err := yaml.Marshal(map[string]signoff.Policy{"policy": c.Policy})
	d.Policy = string(policy)
	return d, err
}

// proofWords says how a source proves itself.
func proofWords(s config.Source) string {
	var ways []string
	for _, w := range []struct {
		on   bool
		what string
	}{
		{s.Secret != "", "signature"}, {s.Token != "", "token"}, {len(s.Topics) > 0, "signed topic"}, {s.OIDC != nil, "identity token"},
		{len(s.Certificates) > 0, "client certificate"}, {s.Loopback, "loopback alone"},
	} {
		if w.on {
			ways = append(ways, w.what)
		}
	}
	return strings.Join(ways, " or ")
}
