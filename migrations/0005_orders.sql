-- What lists of keys are sorted by.

-- When each key was last used, in rows of their own: a batch of uses then changes no wide row and none of the indexes
-- of keys, and the list can be sorted by it. `idle_since` is the last use, or the creation of a key that was never used.
CREATE TABLE key_last_use (
    key_id       TEXT   NOT NULL PRIMARY KEY REFERENCES api_keys (id) ON DELETE CASCADE,
    organization TEXT   NOT NULL,
    created_seq  BIGINT NOT NULL,
    last_used_at BIGINT,
    idle_since   BIGINT NOT NULL
);
INSERT INTO key_last_use (key_id, organization, created_seq, last_used_at, idle_since)
    SELECT id, organization, created_seq, last_used_at, COALESCE(last_used_at, created_at) FROM api_keys;
CREATE INDEX key_last_use_by_time ON key_last_use (organization, idle_since, created_seq);
ALTER TABLE api_keys DROP COLUMN last_used_at;

-- When each key ends, and for those that never do a time after every other: SQLite finds a place in an index by the
-- values of columns, and not by those of an expression with others.
ALTER TABLE api_keys ADD COLUMN ends_at BIGINT NOT NULL DEFAULT 253402300800;
UPDATE api_keys SET ends_at = expires_at WHERE expires_at IS NOT NULL;
DROP INDEX api_keys_by_end;
CREATE INDEX api_keys_by_end ON api_keys (organization, ends_at, created_seq);
