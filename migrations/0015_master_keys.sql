-- The master keys that this store has had, in the order of their numbers. One is not replaced: it is active, and
-- deployment.master_key_check repeats its check value. The tag key of a replaced one is sealed under the active one, so that
-- API keys whose tags it made are accepted until an operator ends it.
CREATE TABLE master_keys (
    number         BIGINT NOT NULL PRIMARY KEY,
    check_value    BYTEA  NOT NULL UNIQUE,
    activated_at   BIGINT NOT NULL,
    replaced_at    BIGINT,
    sealed_tag_key BYTEA,
    tag_ended_at   BIGINT
);
INSERT INTO master_keys (number, check_value, activated_at)
    SELECT 1, master_key_check, created_at FROM deployment;

-- The master key under which the tag of a secret was made.
ALTER TABLE key_secrets ADD COLUMN master_key BIGINT NOT NULL DEFAULT 1;
CREATE INDEX key_secrets_by_master_key ON key_secrets (master_key);

-- The nodes that run, and the check values of the master keys that each holds, in hexadecimal and separated by spaces.
CREATE TABLE nodes (
    id          TEXT   NOT NULL PRIMARY KEY,
    version     TEXT   NOT NULL,
    master_keys TEXT   NOT NULL,
    seen_at     BIGINT NOT NULL
);
