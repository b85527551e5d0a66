package database

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
)

// Watched reads what the watch keeps of one key; both are nil where it never saw the key.
func (d *DB) Watched(ctx context.Context, key string) (record, state json.RawMessage, err error) {
	var r, s string
	err = d.reader.QueryRowContext(ctx, `SELECT record, state FROM watched WHERE key = ?`, key).Scan(&r, &s)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("the watch of key %q: %w", key, err)
	}
	return json.RawMessage(r), json.RawMessage(s), nil
}

// PutWatched keeps what the watch knows of one key.
func (d *DB) PutWatched(ctx context.Context, key string, record, state json.RawMessage) error {
	return d.exec(ctx, fmt.Sprintf("the watch of key %q", key), `INSERT INTO watched (key, record, state) VALUES (?, ?, ?)
		ON CONFLICT (key) DO UPDATE SET record = excluded.record, state = excluded.state`, key, string(record), string(state))
}

// WatchedKeys lists every key that the watch knows, by name.
func (d *DB) WatchedKeys(ctx context.Context) ([]string, error) {
	out, err := list(ctx, d.reader, func(s scanner) (key string, err error) { return key, s.Scan(&key) }, `SELECT key FROM watched ORDER BY key`)
	if err != nil {
		return nil, fmt.Errorf("watched keys: %w", err)
	}
	return out, nil
}
