-- +goose Up
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;

CREATE TABLE incidents (
    id TEXT PRIMARY KEY, opened_at INTEGER NOT NULL, closed_at INTEGER, outcome TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE TABLE aliases (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    provider TEXT NOT NULL, kind TEXT NOT NULL CHECK (kind IN ('id', 'hash')), value TEXT NOT NULL,
    incident TEXT NOT NULL REFERENCES incidents (id), released INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE UNIQUE INDEX aliases_open ON aliases (provider, kind, value) WHERE released = 0;
CREATE INDEX aliases_incident ON aliases (incident);

CREATE TABLE alerts (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE, source TEXT NOT NULL, fingerprint TEXT, incident TEXT NOT NULL REFERENCES incidents (id),
    opened INTEGER NOT NULL, alert TEXT NOT NULL, finding TEXT NOT NULL, received_at INTEGER NOT NULL,
    fate TEXT NOT NULL, reason TEXT NOT NULL DEFAULT '', run TEXT NOT NULL DEFAULT '',
    dispatched INTEGER NOT NULL DEFAULT 0, is_read INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE UNIQUE INDEX alerts_same ON alerts (source, fingerprint) WHERE fingerprint IS NOT NULL;
CREATE INDEX alerts_waiting ON alerts (n) WHERE dispatched = 0;
CREATE INDEX alerts_incident ON alerts (incident);

CREATE TABLE runs (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE, incident TEXT NOT NULL, number INTEGER NOT NULL, state TEXT NOT NULL, outcome TEXT NOT NULL,
    provider TEXT NOT NULL, words TEXT NOT NULL, started_at INTEGER, doc TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX runs_number ON runs (incident, number) WHERE number > 0;

CREATE TABLE auto_claims (run TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT;

CREATE TABLE steps (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    run TEXT NOT NULL, path TEXT NOT NULL, title TEXT NOT NULL, action TEXT NOT NULL, effect TEXT NOT NULL,
    status TEXT NOT NULL, inputs TEXT, outputs TEXT, error TEXT NOT NULL, attempt INTEGER NOT NULL,
    started_at INTEGER, finished_at INTEGER, UNIQUE (run, path)
) STRICT;

CREATE TABLE ledger (
    run TEXT NOT NULL, seq INTEGER NOT NULL, id TEXT NOT NULL, kind TEXT NOT NULL, actor TEXT NOT NULL, step TEXT NOT NULL,
    at INTEGER NOT NULL, commitment TEXT NOT NULL, prev TEXT NOT NULL, hash TEXT NOT NULL, salt BLOB, body TEXT,
    PRIMARY KEY (run, seq), UNIQUE (run, id)
) STRICT;
CREATE TABLE ledger_heads (run TEXT PRIMARY KEY, seq INTEGER NOT NULL, hash TEXT NOT NULL) STRICT;

-- +goose StatementBegin
CREATE TRIGGER ledger_no_delete BEFORE DELETE ON ledger
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: an entry cannot be deleted'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER ledger_no_update BEFORE UPDATE ON ledger
WHEN NEW.run IS NOT OLD.run OR NEW.seq IS NOT OLD.seq OR NEW.id IS NOT OLD.id OR NEW.kind IS NOT OLD.kind
  OR NEW.actor IS NOT OLD.actor OR NEW.step IS NOT OLD.step OR NEW.at IS NOT OLD.at
  OR NEW.commitment IS NOT OLD.commitment OR NEW.prev IS NOT OLD.prev OR NEW.hash IS NOT OLD.hash
  OR NEW.body IS NOT NULL OR NEW.salt IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: only the body of an entry can be erased'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER ledger_in_order BEFORE INSERT ON ledger
WHEN NEW.seq <> 1 + COALESCE((SELECT seq FROM ledger_heads WHERE run = NEW.run), 0)
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: an entry can only follow the last one'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER ledger_head_forward BEFORE UPDATE ON ledger_heads WHEN NEW.run IS NOT OLD.run OR NEW.seq <> OLD.seq + 1
BEGIN SELECT RAISE(ABORT, 'the head of a ledger only moves forward'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER ledger_head_stays BEFORE DELETE ON ledger_heads
BEGIN SELECT RAISE(ABORT, 'the head of a ledger cannot be deleted'); END;
-- +goose StatementEnd

CREATE TABLE requests (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE, run TEXT NOT NULL, state TEXT NOT NULL, digest TEXT NOT NULL, doc TEXT NOT NULL
) STRICT;
CREATE INDEX requests_run ON requests (run);

CREATE TABLE questions (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE, run TEXT NOT NULL, answered INTEGER NOT NULL DEFAULT 0, doc TEXT NOT NULL
) STRICT;
CREATE INDEX questions_run ON questions (run);

CREATE TABLE deliveries (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    request TEXT NOT NULL, channel TEXT NOT NULL, ts TEXT NOT NULL, surface TEXT NOT NULL, UNIQUE (channel, ts)
) STRICT;
CREATE INDEX deliveries_request ON deliveries (request);

CREATE TABLE attempts (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE, request TEXT NOT NULL, doc TEXT NOT NULL
) STRICT;
CREATE INDEX attempts_request ON attempts (request);
-- +goose StatementBegin
CREATE TRIGGER attempts_no_delete BEFORE DELETE ON attempts
BEGIN SELECT RAISE(ABORT, 'an attempt to decide cannot be deleted'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER attempts_no_update BEFORE UPDATE ON attempts
BEGIN SELECT RAISE(ABORT, 'an attempt to decide cannot be changed'); END;
-- +goose StatementEnd

CREATE TABLE calls (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE, run TEXT NOT NULL, request TEXT NOT NULL, step TEXT NOT NULL, action TEXT NOT NULL,
    target TEXT NOT NULL, digest TEXT NOT NULL, state TEXT NOT NULL CHECK (state IN ('started', 'done', 'failed')),
    receipt TEXT, started_at INTEGER, finished_at INTEGER
) STRICT;
CREATE INDEX calls_run ON calls (run);
-- +goose StatementBegin
CREATE TRIGGER calls_no_delete BEFORE DELETE ON calls
BEGIN SELECT RAISE(ABORT, 'the row of a call cannot be deleted: it is what keeps the call from being sent twice'); END;
-- +goose StatementEnd

CREATE TABLE undos (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    run TEXT NOT NULL, step TEXT NOT NULL, action TEXT NOT NULL, target TEXT NOT NULL,
    before TEXT, undo TEXT, left_state TEXT, at INTEGER, undone_at INTEGER, UNIQUE (run, step)
) STRICT;

CREATE TABLE sealed (
    handle TEXT NOT NULL, version INTEGER NOT NULL, run TEXT NOT NULL, ciphertext BLOB, at INTEGER NOT NULL,
    shredded_at INTEGER, PRIMARY KEY (handle, version)
) STRICT;

CREATE TABLE evidence (
    n INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, run TEXT NOT NULL, doc TEXT NOT NULL
) STRICT;
CREATE INDEX evidence_run ON evidence (run);

CREATE TABLE tokens (hash TEXT PRIMARY KEY, person TEXT NOT NULL, issued_by TEXT NOT NULL, at INTEGER NOT NULL) STRICT;
CREATE TABLE seen (key TEXT PRIMARY KEY, until INTEGER NOT NULL) STRICT;
CREATE INDEX seen_until ON seen (until);

CREATE TABLE holds (
    n INTEGER PRIMARY KEY AUTOINCREMENT, on_hold INTEGER NOT NULL, who TEXT NOT NULL, reason TEXT NOT NULL, at INTEGER NOT NULL
) STRICT;

-- +goose Down
DROP TABLE holds;
DROP TABLE seen;
DROP TABLE tokens;
DROP TABLE evidence;
DROP TABLE sealed;
DROP TABLE undos;
DROP TABLE calls;
DROP TABLE attempts;
DROP TABLE deliveries;
DROP TABLE questions;
DROP TABLE requests;
DROP TABLE ledger_heads;
DROP TABLE ledger;
DROP TABLE steps;
DROP TABLE auto_claims;
DROP TABLE runs;
DROP TABLE alerts;
DROP TABLE aliases;
DROP TABLE incidents;
DROP TABLE settings;
