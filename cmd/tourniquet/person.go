package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/tourniquet-ir/tourniquet/internal/config"
	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/engine"
	"github.com/tourniquet-ir/tourniquet/internal/seal"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

func (sh *shell) personCmd() *cobra.Command {
	return group("person", "People who decide", sh.personTokenCmd(), sh.personTokensCmd(), sh.personRevokeCmd(), sh.personSignOutCmd())
}

// mostTokenLife keeps a token from outliving everybody's memory of it.
const mostTokenLife = 366 * 24 * time.Hour

func (sh *shell) personTokenCmd() *cobra.Command {
	var person, issuer, life string
	c := &cobra.Command{
		Use: "token --for ID --issued-by ID", Short: "Make a personal token for somebody else", Args: cobra.NoArgs,
		Long: "Make the token with which a person signs in to the console and the commands. It is printed once on standard output and\n" +
			"kept as a hash only. The issuer is written down and must be somebody else. A running serve need not be stopped.",
		RunE: func(cmd *cobra.Command, _ []string) error { return sh.personToken(cmd.Context(), person, issuer, life) },
	}
	c.Flags().StringVar(&person, "for", "", "id of the person who will use the token")
	c.Flags().StringVar(&issuer, "issued-by", "", "id of the person who makes it: never the same")
	c.Flags().StringVar(&life, "expires", signoff.Duration(database.TokenLife).String(), "after what time it opens nothing any more, as 30d; at most 366d")
	return c
}

func (sh *shell) personToken(ctx context.Context, person, issuer, life string) error {
	if person == "" || issuer == "" {
		return misuse("say whom the token is for and who issues it: person token --for ID --issued-by ID")
	}
	if person == issuer {
		return misuse("person %q cannot issue a token to themselves: somebody else has to", person)
	}
	good, err := signoff.ParseDuration(life)
	if err != nil || good <= 0 || good.Std() > mostTokenLife {
		return misuse("--expires %q is no time that a token may be good for: write one up to 366d, as 90d or 8h", life)
	}
	s, err := sh.listed(person, issuer)
	if err != nil {
		return err
	}
	token, issued := newToken(), database.Token{}
	err = withTokens(ctx, s, func(db *database.DB) (err error) {
		issued, err = db.IssueToken(ctx, person, tokenHash(token), issuer, time.Now().Add(good.Std()))
		return err
	})
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(sh.Talk, "This is the token of %s, named %s, good until %s. It is shown once: hand it over now, on a way that nobody else reads.\n",
		person, issued.ID, stamp(issued.Until))
	if sh.JSON {
		return sh.printJSON(map[string]string{"person": person, "issued_by": issuer, "token": token, "id": issued.ID, "until": issued.Until.Format(time.RFC3339)})
	}
	_, err = fmt.Fprintln(sh.Out, token)
	return err
}

// listed loads the configuration and refuses people who do not stand in it.
func (sh *shell) listed(people ...string) (settings, error) {
	c, err := sh.load()
	if err != nil {
		return settings{}, err
	}
	for _, id := range people {
		if !knownPerson(c, id) {
			return settings{}, misuse("%q is not listed under people in %q", id, sh.Config)
		}
	}
	return settings{Config: c, Env: sh.places(c)}, nil
}

func (sh *shell) personTokensCmd() *cobra.Command {
	var person string
	c := &cobra.Command{
		Use: "tokens", Short: "List personal tokens: whose, until when, and who ended them", Args: cobra.NoArgs,
		Long: "List the personal tokens that were made, newest first. What is listed opens nothing: of a token only a hash is kept.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := sh.listed()
			if err != nil {
				return err
			}
			var all []database.Token
			err = withTokens(cmd.Context(), s, func(db *database.DB) (err error) {
				all, err = db.Tokens(cmd.Context(), person)
				return err
			})
			if err != nil {
				return err
			}
			return sh.tokens(all, s)
		},
	}
	c.Flags().StringVar(&person, "for", "", "those of one person only")
	return c
}

func (sh *shell) tokens(all []database.Token, s settings) error {
	if sh.JSON {
		return sh.printJSON(all)
	}
	rows := make([][]string, 0, len(all))
	for _, t := range all {
		state := "good"
		switch {
		case !t.RevokedAt.IsZero():
			state = "revoked by " + t.RevokedBy + " at " + stamp(t.RevokedAt)
		case t.Refusal(time.Now()) != "":
			state = "expired"
		case !knownPerson(s.Config, t.Person):
			state = "of nobody: the person is not listed any more"
		}
		rows = append(rows, []string{t.ID, t.Person, t.IssuedBy, stamp(t.At), stamp(t.Until), state})
	}
	return sh.table([]string{"TOKEN", "OF", "ISSUED BY", "AT", "UNTIL", "STATE"}, rows)
}

func (sh *shell) personRevokeCmd() *cobra.Command {
	var by, reason string
	c := &cobra.Command{
		Use: "revoke TOKEN --by ID", Short: "End a personal token at once", Args: one("the id of a token, as person tokens shows it"),
		Long: "End a personal token. The next request that comes with it is refused and says why; what its owner decided before stays as it is.\n" +
			"A running serve need not be stopped. The ledger keeps who did it.",
		RunE: func(cmd *cobra.Command, args []string) error {
			if by == "" {
				return misuse("say who revokes it: person revoke TOKEN --by ID")
			}
			s, err := sh.listed(by)
			if err != nil {
				return err
			}
			var t database.Token
			err = withTokens(cmd.Context(), s, func(db *database.DB) (err error) {
				t, err = db.RevokeToken(cmd.Context(), args[0], by, reason)
				return err
			})
			if database.IsNotFound(err) {
				return misuse("there is no token %q; see: tourniquet person tokens", args[0])
			}
			if err != nil || sh.JSON {
				return errors.Join(err, sh.jsonUnless(err, t))
			}
			return sh.say("the token %s of %s is revoked since %s, by %s", t.ID, t.Person, stamp(t.RevokedAt), t.RevokedBy)
		},
	}
	c.Flags().StringVar(&by, "by", "", "id of the person who revokes it")
	c.Flags().StringVar(&reason, "reason", "", "why, for the ledger")
	return c
}

func (sh *shell) jsonUnless(err error, v any) error {
	if err != nil {
		return nil //nolint:nilerr // the caller reports it; here is only nothing to print
	}
	return sh.printJSON(v)
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

// withTokens opens our records. Where nobody serves, the directory is locked meanwhile and a first key ring may be made; next
// to a running serve the ring must exist, and the database lets two processes write in turn.
func withTokens(ctx context.Context, s settings, do func(*database.DB) error) (err error) {
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
	return do(db)
}
