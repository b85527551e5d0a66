package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tourniquet-ir/tourniquet/activities"
	"github.com/tourniquet-ir/tourniquet/integrations/secretstores"
	"github.com/tourniquet-ir/tourniquet/internal/config"
	"github.com/tourniquet-ir/tourniquet/internal/diag"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/inventory"
	"github.com/tourniquet-ir/tourniquet/internal/outbound"
)

func (sh *shell) inventoryCmd() *cobra.Command {
	list := &cobra.Command{Use: "list", Short: "Every known key with its owner and dependents; needs no server", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return sh.inventoryList() }}
	lint := &cobra.Command{Use: "lint [FILE]", Short: "Every fault of the file at its place; needs no configuration when a file is named", Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return sh.inventoryLint(args) }}
	check := &cobra.Command{Use: "check", Short: "Compare the inventory with reality; only reads", Args: cobra.NoArgs,
		Long: "Ask for every key whether its provider knows it, for every owner whether they can be reached, and for every dependent whether its\n" +
			"secret is there and could be updated and restarted. All calls only read, with the permissions that a response needs\n" +
			"anyhow. The exit code is 1 when anything is at fault.",
		RunE: func(cmd *cobra.Command, _ []string) error { return sh.inventoryCheck(cmd.Context()) }}
	repos := []string{}
	suggest := &cobra.Command{Use: "suggest", Short: "Keys and secrets that exist and are not in the inventory, as YAML to add", Args: cobra.NoArgs,
		Long: "List the keys of every configured account, and the secrets of repositories that the inventory names (or --repo), and print what\n" +
			"is missing as YAML. Names are all that is read: no value of a key or secret.",
		RunE: func(cmd *cobra.Command, _ []string) error { return sh.inventorySuggest(cmd.Context(), repos) }}
	suggest.Flags().StringSliceVar(&repos, "repo", nil, "owner/name of a repository to look into; may be repeated")
	return group("inventory", "Known keys, their owners and dependents", list, lint, check, suggest)
}

// known reads configuration and inventory.
func (sh *shell) known() (settings, *inventory.Inventory, error) {
	c, err := sh.load()
	if err != nil {
		return settings{}, nil, err
	}
	s := settings{Config: c, Env: sh.places(c), World: incident.WorldProduction, Log: sh.logger()}
	if c.Inventory.File == "" {
		return s, nil, misuse("the configuration names no inventory.file; tourniquet init writes one")
	}
	inv, err := inventoryOf(s)
	return s, inv, err
}

func (sh *shell) inventoryList() error {
	_, inv, err := sh.known()
	if err != nil {
		return err
	}
	entries := inv.Entries()
	if sh.JSON {
		return sh.printJSON(entries)
	}
	rows := [][]string{}
	for _, e := range entries {
		critical := ""
		if e.Critical {
			critical = "yes"
		}
		rows = append(rows, []string{keyName(e), e.Owner, critical, fmt.Sprint(len(e.Dependents))})
		for _, d := range e.Dependents {
			rows = append(rows, []string{"  " + d.Kind + " " + d.ID, "", "", ""})
		}
	}
	return sh.table([]string{"KEY", "OWNER", "CRITICAL", "DEPENDENTS"}, rows)
}

func keyName(e inventory.Entry) string {
	id := e.ID
	if id == "" {
		id = "hash " + e.Hash[:8] + "…"
	}
	return strings.Join([]string{e.Provider, e.Account, id}, ":")
}

func (sh *shell) inventoryLint(args []string) error {
	file := ""
	if len(args) == 1 {
		file = args[0]
	} else if c, err := sh.load(); err != nil {
		return err
	} else if file = c.At(c.Inventory.File); file == "" {
		return misuse("the configuration names no inventory.file; name one: tourniquet inventory lint FILE")
	}
	body, err := os.ReadFile(file)
	if err != nil {
		return misuse("the inventory cannot be read: %v", err)
	}
	inv, faults := inventory.Load(file, body)
	if sh.JSON {
		if faults == nil {
			faults = []diag.Fault{}
		}
		if err := sh.printJSON(faults); err != nil {
			return err
		}
	} else if len(faults) > 0 {
		if err := sh.say("%s", diag.Text(body, faults)); err != nil {
			return err
		}
	}
	if diag.HasErrors(faults) {
		return &coded{exitMisuse, errors.New("the inventory has faults")}
	}
	if sh.JSON {
		return nil
	}
	return sh.say("%s: %d keys, no faults", file, len(inv.Entries()))
}

// reality is what the inventory is compared with.
type reality struct {
	*examination
	accounts []activities.Account
	stores   []secretstores.Store
	owner    func(ctx context.Context, id string) (string, error)
}

func (sh *shell) inventoryCheck(ctx context.Context) error {
	s, inv, err := sh.known()
	if err != nil {
		return err
	}
	r, err := sh.reality(s)
	if err != nil {
		return err
	}
	for _, e := range inv.Entries() {
		at := fmt.Sprintf("%s line %d", keyName(e), e.Line)
		r.key(ctx, at, e)
		r.owned(ctx, at, e.Owner)
		for _, d := range e.Dependents {
			r.dependent(ctx, d)
		}
	}
	if len(r.findings) == 0 {
		r.note("inventory", "add the keys that you want to protect; tourniquet inventory suggest shows what there is", "it lists no key")
	}
	return r.tell()
}

func (sh *shell) reality(s settings) (*reality, error) {
	r := &reality{examination: &examination{sh: sh, s: s}}
	git, err := gitHub(s)
	if err != nil {
		return nil, err
	}
	if r.accounts, err = accounts(s); err != nil {
		return nil, err
	}
	if r.stores, err = stores(s, git); err != nil {
		return nil, err
	}
	port, err := slackChat(s, nil)
	if err != nil {
		return nil, err
	}
	dir, err := directory(s, chatPort(port))
	if err != nil {
		return nil, err
	}
	r.owner = func(ctx context.Context, id string) (string, error) {
		p, known := dir.Person(id)
		switch {
		case !known:
			return "is not listed under people", nil
		case p.Slack == "" && p.Email == "":
			return "has neither a Slack id nor a mail address", nil
		case p.Slack == "" || port == nil:
			return "", nil
		}
		return dir.MayDecide(ctx, id)
	}
	return r, nil
}

// key asks the provider whether it knows the key.
func (r *reality) key(ctx context.Context, at string, e inventory.Entry) {
	if e.ID == "" {
		r.note(at, "", "it is known by the hash of its value only, which no provider can be asked about")
		return
	}
	asked := 0
	for _, a := range r.accounts {
		if a.Provider.Name() != e.Provider || e.Account != "" && a.Name != e.Account {
			continue
		}
		asked++
		var found []incident.Key
		err := within(ctx, func(ctx context.Context) (err error) {
			found, err = a.Identify(ctx, incident.Clue{Provider: e.Provider, Account: a.Name, ID: e.ID}, nil)
			return err
		})
		if err == nil && len(found) == 0 {
			if e.Account == "" {
				continue // another account may know it
			}
			err = fmt.Errorf("the account %q knows no key of this id", a.Name)
		}
		r.judge(at, err, "correct the id, or take the key out when it is gone", "the account "+a.Name+" knows it")
		return
	}
	if asked == 0 {
		r.fault(at, fmt.Errorf("no account %q of provider %q is configured", e.Account, e.Provider), "add it under providers, or correct the entry")
		return
	}
	r.fault(at, fmt.Errorf("none of %d accounts knows a key of this id", asked), "correct the id, or take the key out when it is gone")
}

// owned asks whether the owner can be told anything.
func (r *reality) owned(ctx context.Context, at, owner string) {
	at += " owner"
	if owner == "" {
		r.note(at, "name the person who is to be told", "it has no owner")
		return
	}
	why := ""
	err := within(ctx, func(ctx context.Context) (err error) {
		why, err = r.owner(ctx, owner)
		return err
	})
	if err == nil && why != "" {
		err = fmt.Errorf("%s cannot be reached: %s", owner, why)
	}
	r.judge(at, err, "mend the person under people, or name another owner", owner+" can be reached")
}

// dependent asks its store for the secret, and whoever would restart it.
func (r *reality) dependent(ctx context.Context, d incident.Dependent) {
	at := d.Kind + " " + d.ID
	h := &activities.House{Stores: r.stores, Outbound: guardOf(r.s.Config)}
	detail := ""
	err := within(ctx, func(ctx context.Context) (err error) {
		detail, err = h.Survey(ctx, d)
		return err
	})
	r.judge(at, err, "correct the entry, or see docs/dependents.md for the permissions of its store", detail)
}

func guardOf(c *config.Config) (g outbound.Guard) {
	g, _ = c.Outbound.Guard() // the configuration was checked when it was read
	return g
}
