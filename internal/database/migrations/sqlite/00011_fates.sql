-- +goose Up
-- Alerts that came to a rare end, newest first: without it, all the others are read on the way to them.
CREATE INDEX alerts_fate ON alerts (fate, n);

-- +goose Down
DROP INDEX alerts_fate;
