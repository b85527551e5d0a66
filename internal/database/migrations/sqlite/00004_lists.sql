-- +goose Up
-- Everything that the list of runs is filtered by, in its order: a search reads this and not the records beside it.
CREATE INDEX runs_list ON runs (n, state, outcome, provider, started_at, incident, words);
CREATE INDEX requests_state ON requests (state, n);
CREATE INDEX questions_open ON questions (answered, n);

-- +goose Down
DROP INDEX questions_open;
DROP INDEX requests_state;
DROP INDEX runs_list;
