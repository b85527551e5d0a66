package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// Delivery is one message that shows a request or a question.
type Delivery struct{ Request, Channel, TS, Surface string }

// AddDelivery records where a request or a question was shown. A message shows one thing: another request under the same
// channel and ts is refused.
func (d *DB) AddDelivery(ctx context.Context, request, channel, ts, surface string) error {
	return d.write(ctx, fmt.Sprintf("delivery of %q", request), "delivery/"+channel, func(ctx context.Context, tx *txn) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO deliveries (request, channel, ts, surface) VALUES (?, ?, ?, ?)
			ON CONFLICT (channel, ts) DO NOTHING`, request, channel, ts, surface); err != nil {
			return err
		}
		var owner string
		if err := tx.QueryRowContext(ctx, `SELECT request FROM deliveries WHERE channel = ? AND ts = ?`, channel, ts).Scan(&owner); err != nil {
			return err
		}
		if owner != request {
			return fmt.Errorf("message %q in channel %q already shows %q", ts, channel, owner)
		}
		return nil
	})
}

// MoveDelivery says that a copy which was deleted in chat was posted again under another ts.
func (d *DB) MoveDelivery(ctx context.Context, request, channel, from, to string) error {
	return d.exec(ctx, fmt.Sprintf("delivery of %q", request), `UPDATE deliveries SET ts = ? WHERE request = ? AND channel = ? AND ts = ?`,
		to, request, channel, from)
}

// Deliveries lists where a request or a question was shown, oldest first.
func (d *DB) Deliveries(ctx context.Context, request string) ([]Delivery, error) {
	out, err := list(ctx, d.reader, func(s scanner) (Delivery, error) {
		var v Delivery
		return v, s.Scan(&v.Request, &v.Channel, &v.TS, &v.Surface)
	}, `SELECT request, channel, ts, surface FROM deliveries WHERE request = ? ORDER BY n`, request)
	if err != nil {
		return nil, fmt.Errorf("deliveries of %q: %w", request, err)
	}
	return out, nil
}

// DeliveryFor says which request or question a message shows; found is false for a message that we did not send.
func (d *DB) DeliveryFor(ctx context.Context, channel, ts string) (request string, found bool, err error) {
	err = d.reader.QueryRowContext(ctx, `SELECT request FROM deliveries WHERE channel = ? AND ts = ?`, channel, ts).Scan(&request)
	if errors.Is(err, sql.ErrNoRows) {
		return "", false, nil
	}
	if err != nil {
		return "", false, fmt.Errorf("message %q in channel %q: %w", ts, channel, err)
	}
	return request, true, nil
}

// ShownIn tells whether anything of ours was ever shown in a channel.
func (d *DB) ShownIn(ctx context.Context, channel string) (shown bool, err error) {
	err = d.reader.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM deliveries WHERE channel = ?)`, channel).Scan(&shown)
	if err != nil {
		return false, fmt.Errorf("what was shown in channel %q: %w", channel, err)
	}
	return shown, nil
}
