-- +goose Up
-- The words of a run are no part of an index here: an entry of one is bounded, and what strangers name a key is not.
CREATE INDEX runs_state ON runs (state, n);
CREATE INDEX runs_outcome ON runs (outcome, n);
CREATE INDEX runs_provider ON runs (provider, n);
CREATE INDEX requests_state ON requests (state, n);
CREATE INDEX questions_open ON questions (answered, n);

-- +goose Down
DROP INDEX questions_open;
DROP INDEX requests_state;
DROP INDEX runs_provider;
DROP INDEX runs_outcome;
DROP INDEX runs_state;
