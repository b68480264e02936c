-- The overview of an organization counts keys by their state. Each count reads a bounded number of neighbouring entries of
-- one of these indexes, however many keys there are in other states.
CREATE INDEX api_keys_usable ON api_keys (organization, ends_at) WHERE revoked_at IS NULL AND disabled_at IS NULL;
CREATE INDEX api_keys_disabled ON api_keys (organization, ends_at) WHERE revoked_at IS NULL AND disabled_at IS NOT NULL;
CREATE INDEX api_keys_revoked ON api_keys (organization, ends_at) WHERE revoked_at IS NOT NULL;
-- Usable keys that work from every IPv4 address or from every IPv6 address.
CREATE INDEX api_keys_open ON api_keys (organization, ends_at) WHERE revoked_at IS NULL AND disabled_at IS NULL
    AND (' ' || cidrs || ' ' LIKE '% 0.0.0.0/0 %' OR ' ' || cidrs || ' ' LIKE '% ::/0 %');
