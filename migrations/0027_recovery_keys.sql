-- When `claviger admin-key` made the key. Only such a key opens the console of a deployment that is closed to keys. NULL for
-- every other key: nothing else writes the column, so no request can make a key one of these.
ALTER TABLE api_keys ADD COLUMN recovery_at BIGINT;
