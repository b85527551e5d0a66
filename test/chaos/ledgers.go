package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/database/chain"
	"github.com/tourniquet-ir/tourniquet/internal/seal"
	"github.com/tourniquet-ir/tourniquet/test/rig"
)

// ledgers reads the ledger of every run from the records that the dead product left, and writes down whether it is whole.
func (g *siege) ledgers(ctx context.Context) (err error) {
	ring, err := seal.Load(filepath.Join(g.Dir, "keyring.json"))
	if err != nil {
		return err
	}
	db, err := database.Open(ctx, g.address, ring.Box())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	for before := ""; ; {
		runs, err := db.Runs(ctx, database.Filter{Before: before, Limit: 100})
		if err != nil || len(runs) == 0 {
			return err
		}
		for _, r := range runs {
			l := rig.Line{ID: "ledger", Run: r.ID, Ledger: "whole"}
			if err := verify(ctx, db, r.ID); err != nil {
				l.Ledger = err.Error()
			}
			if r.Key != nil {
				l.Key = r.Key.ID
			}
			g.s.Write(l)
			before = r.ID
		}
	}
}

// verify holds a ledger against its own chain and its head.
func verify(ctx context.Context, db *database.DB, run string) error {
	rows, err := db.Ledger(ctx, run)
	if err != nil {
		return err
	}
	if len(rows) == 0 {
		return fmt.Errorf("the ledger of %s is empty", run)
	}
	head, err := db.LedgerHead(ctx, run)
	if err != nil {
		return err
	}
	return chain.Verify(rows, &head)
}
