package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tourniquet-ir/tourniquet/internal/config"
	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/engine"
	"github.com/tourniquet-ir/tourniquet/internal/seal"
)

func (sh *shell) personCmd() *cobra.Command {
	var person, issuer string
	token := &cobra.Command{
		Use: "token --for ID --issued-by ID", Short: "Make a personal token for somebody else", Args: cobra.NoArgs,
		Long: "Make the token with which a person signs in to the console and the commands. It is printed once on standard output and\n" +
			"kept as a hash only. The issuer is written down and must be somebody else. A running serve need not be stopped.",
		RunE: func(cmd *cobra.Command, _ []string) error { return sh.personToken(cmd.Context(), person, issuer) },
	}
	token.Flags().StringVar(&person, "for", "", "id of the person who will use the token")
	token.Flags().StringVar(&issuer, "issued-by", "", "id of the person who makes it: never the same")
	return group("person", "People who decide", token)
}

func (sh *shell) personToken(ctx context.Context, person, issuer string) error {
	if person == "" || issuer == "" {
		return misuse("say whom the token is for and who issues it: person token --for ID --issued-by ID")
	}
	if person == issuer {
		return misuse("person %q cannot issue a token to themselves: somebody else has to", person)
	}
	c, err := sh.load()
	if err != nil {
		return err
	}
	for _, id := range []string{person, issuer} {
		if !knownPerson(c, id) {
			return misuse("%q is not listed under people in %q", id, sh.Config)
		}
	}
	token := newToken()
	if err := keepToken(ctx, settings{Config: c, Env: sh.Env}, person, token, issuer); err != nil {
		return err
	}
	_, _ = fmt.Fprintf(sh.Talk, "This is the token of %s. It is shown once: hand it over now, on a way that nobody else reads.\n", person)
	if sh.JSON {
		return sh.printJSON(map[string]string{"person": person, "issued_by": issuer, "token": token})
	}
	_, err = fmt.Fprintln(sh.Out, token)
	return err
}

func knownPerson(c *config.Config, id string) bool {
	for _, p := range c.People {
		if p.ID == id {
			return true
		}
	}
	return false
}

// newToken is 256 random bits: long enough that a plain hash of it is all that has to be kept.
func newToken() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never returns an error since Go 1.24
	return "tq_" + base64.RawURLEncoding.EncodeToString(b)
}

// keepToken writes the hash. Where nobody serves, the directory is locked meanwhile and a first key ring may be made; next
// to a running serve the ring must exist, and SQLite lets two processes write in turn.
func keepToken(ctx context.Context, s settings, person, token, issuer string) (err error) {
	lock, busy := engine.LockDir(dataDir(s.Config))
	ring, err := seal.Load(ringPath(s.Config))
	if busy == nil {
		defer func() { err = errors.Join(err, lock.Release()) }()
		ring, err = openRing(s, lock)
	}
	if err != nil {
		return errors.Join(err, busy)
	}
	at, err := databaseAt(s)
	if err != nil {
		return err
	}
	db, err := database.Open(ctx, at, ring.Box())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := db.CheckRing(ctx); err != nil {
		return err
	}
	return db.PutToken(ctx, person, tokenHash(token), issuer)
}
