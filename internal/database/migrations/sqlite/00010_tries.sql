-- +goose Up
-- Attempts at a call that did not come through; the one that did is the step itself.
CREATE TABLE tries (
    run TEXT NOT NULL, path TEXT NOT NULL, started_at INTEGER NOT NULL, finished_at INTEGER NOT NULL, attempt INTEGER NOT NULL, status TEXT NOT NULL, error TEXT NOT NULL,
    PRIMARY KEY (run, path, started_at)
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE tries;
