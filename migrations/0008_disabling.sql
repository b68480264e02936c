-- Suspended keys. NULL is enabled; disabling is reversible, unlike a revocation.
ALTER TABLE api_keys ADD COLUMN disabled_at BIGINT;

-- The check for the last administrator's key looks at usable keys only.
DROP INDEX api_keys_ways_in;
CREATE INDEX api_keys_ways_in ON api_keys (id) WHERE is_way_in = 1 AND revoked_at IS NULL AND disabled_at IS NULL;

-- Refusals of disabled keys have a column beside those of revoked and expired ones.
ALTER TABLE key_totals ADD COLUMN disabled BIGINT NOT NULL DEFAULT 0;
