-- +goose Up
ALTER TABLE tokens ADD COLUMN until BIGINT NOT NULL DEFAULT 0;
ALTER TABLE tokens ADD COLUMN revoked_at BIGINT;
ALTER TABLE tokens ADD COLUMN revoked_by TEXT NOT NULL DEFAULT '';
UPDATE tokens SET until = at + 7776000000000; -- those that were made without an end get the usual ninety days
CREATE INDEX tokens_person ON tokens (person);

-- +goose Down
DROP INDEX tokens_person;
ALTER TABLE tokens DROP COLUMN revoked_by;
ALTER TABLE tokens DROP COLUMN revoked_at;
ALTER TABLE tokens DROP COLUMN until;
