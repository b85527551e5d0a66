-- +goose Up
-- How many alerts and runs stand how: asked at every look at the metrics, so it must not read whole rows.
CREATE INDEX alerts_standing ON alerts (source, fate);
CREATE INDEX runs_standing ON runs (state, outcome);

-- +goose Down
DROP INDEX alerts_standing;
DROP INDEX runs_standing;
