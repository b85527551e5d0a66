-- +goose Up
-- Every alert asks for the open run of its incident, and every start for the closed ones.
CREATE INDEX runs_incident ON runs (incident, n);

-- +goose Down
DROP INDEX runs_incident;
