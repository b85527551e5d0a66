-- +goose Up
-- What lives on what an undoable call made: a new key that a dependent took over is not taken back.
CREATE TABLE undo_uses (
    run TEXT NOT NULL, step TEXT NOT NULL, used_by TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (run, step, used_by)
) STRICT;

-- +goose Down
DROP TABLE undo_uses;
