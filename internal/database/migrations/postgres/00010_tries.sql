-- +goose Up
-- Attempts at a call that did not come through; the one that did is the step itself.
CREATE TABLE tries (
    run TEXT NOT NULL, path TEXT NOT NULL, started_at BIGINT NOT NULL, finished_at BIGINT NOT NULL, attempt BIGINT NOT NULL, status TEXT NOT NULL, error TEXT NOT NULL,
    PRIMARY KEY (run, path, started_at)
);

-- +goose Down
DROP TABLE tries;
