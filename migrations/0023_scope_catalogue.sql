-- Names for scopes, which people choose from. The organization is '' for those of the deployment. An entry grants
-- nothing, so its row goes when it is removed, and its id can be used again.
CREATE TABLE named_scopes (
    organization TEXT   NOT NULL,
    id           TEXT   NOT NULL,
    created_seq  BIGINT NOT NULL UNIQUE,
    scope        TEXT   NOT NULL,
    name         TEXT   NOT NULL,
    description  TEXT,
    scope_group  TEXT,
    created_at   BIGINT NOT NULL,
    PRIMARY KEY (organization, id)
);
