-- Registered public keys are credentials of a key, as its secrets are, and have rows beside theirs. Such a row has the
-- public key as a JWK, an id of its own kind, and an empty hash. Its master_key means nothing.
ALTER TABLE key_secrets ADD COLUMN public_jwk TEXT;

-- The ids of assertions (jti) that were used, where nodes are to share them. used_id is a digest of the key's id and the
-- jti.
CREATE TABLE used_assertions (
    used_id    BYTEA  NOT NULL PRIMARY KEY,
    expires_at BIGINT NOT NULL
);
CREATE INDEX used_assertions_by_end ON used_assertions (expires_at);
