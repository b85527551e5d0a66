-- +goose Up
CREATE TABLE silences (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE, owner TEXT NOT NULL, reason TEXT NOT NULL, condition TEXT NOT NULL,
    from_at INTEGER NOT NULL, until_at INTEGER NOT NULL, at INTEGER NOT NULL, expired_by TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX silences_until ON silences (until_at);
-- +goose StatementBegin
CREATE TRIGGER silences_no_delete BEFORE DELETE ON silences
BEGIN SELECT RAISE(ABORT, 'a silence cannot be deleted: what it hid must stay explained'); END;
-- +goose StatementEnd
CREATE TABLE silenced (alert TEXT PRIMARY KEY, silence TEXT NOT NULL REFERENCES silences (id)) STRICT;
CREATE INDEX silenced_by ON silenced (silence);
CREATE INDEX alerts_received ON alerts (received_at);

-- +goose Down
DROP INDEX alerts_received;
DROP TABLE silenced;
DROP TABLE silences;
