-- +goose Up
-- What the watch knows of each key: a short record of its polls, and the baseline.
CREATE TABLE watched (
    key TEXT PRIMARY KEY, -- provider:account:id
    record TEXT NOT NULL, state TEXT NOT NULL
) STRICT;

-- +goose Down
DROP TABLE watched;
