package database

import (
	"context"
	"fmt"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// PutEvidence indexes one piece of evidence; a repeat with the same id changes nothing.
func (d *DB) PutEvidence(ctx context.Context, e incident.Evidence) error {
	body, err := text(e)
	if err != nil {
		return fmt.Errorf("evidence %q: %w", e.ID, err)
	}
	return d.exec(ctx, fmt.Sprintf("evidence %q", e.ID),
		`INSERT INTO evidence (id, run, doc) VALUES (?, ?, ?) ON CONFLICT (id) DO NOTHING`, e.ID, e.Run, body)
}

// EvidenceOf lists the evidence of a run, oldest first.
func (d *DB) EvidenceOf(ctx context.Context, run string) ([]incident.Evidence, error) {
	out, err := list(ctx, d.reader, doc[incident.Evidence], `SELECT doc FROM evidence WHERE run = ? ORDER BY n`, run)
	if err != nil {
		return nil, fmt.Errorf("evidence of run %q: %w", run, err)
	}
	return out, nil
}
