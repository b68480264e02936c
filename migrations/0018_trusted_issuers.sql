-- Issuers whose tokens may open keys of an organization. Ids are never reused, so a removed one leaves its row behind.
-- key_source is JSON: {"discovery":true}, {"jwks_uri":"…"} or {"jwks":{…}}. keys_version is the number of the change that
-- last touched the URL, the source of the keys or the algorithms.
CREATE TABLE trusted_issuers (
    organization TEXT   NOT NULL REFERENCES organizations (id),
    id           TEXT   NOT NULL,
    created_seq  BIGINT NOT NULL UNIQUE,
    name         TEXT   NOT NULL,
    issuer       TEXT   NOT NULL,
    key_source   TEXT   NOT NULL,
    algorithms   TEXT   NOT NULL,
    max_lifetime BIGINT NOT NULL,
    single_use   BIGINT NOT NULL,
    keys_version BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    disabled_at  BIGINT,
    deleted_at   BIGINT,
    PRIMARY KEY (organization, id)
);

-- Trust rules are credentials of a key, as its secrets are, and have rows beside theirs. Such a row has the rule as JSON,
-- the id of the issuer that the rule names, an id of its own kind, and an empty hash. Its master_key means nothing.
ALTER TABLE key_secrets ADD COLUMN trust_rule TEXT;
ALTER TABLE key_secrets ADD COLUMN trusted_issuer TEXT;
CREATE INDEX key_secrets_by_trusted_issuer ON key_secrets (trusted_issuer) WHERE trusted_issuer IS NOT NULL;
