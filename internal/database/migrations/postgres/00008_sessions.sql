-- +goose Up
-- Browsers that signed in, so that any process behind one address knows them, and all forget them at once.
CREATE TABLE sessions (
    hash TEXT PRIMARY KEY, who TEXT NOT NULL, person TEXT NOT NULL, token TEXT NOT NULL, said TEXT NOT NULL, at BIGINT NOT NULL, until BIGINT NOT NULL
);
CREATE INDEX sessions_who ON sessions (who, at);
CREATE INDEX sessions_until ON sessions (until);

-- +goose Down
DROP TABLE sessions;
