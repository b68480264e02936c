-- What resource servers have to hear: from which generation on the tokens of a key are good. A row is needed only
-- for as long as a token from before could live, also when its key is gone.
CREATE TABLE withdrawals (
    key_id     TEXT   NOT NULL PRIMARY KEY,
    seq        BIGINT NOT NULL,
    generation BIGINT NOT NULL,
    at         BIGINT NOT NULL
);
CREATE INDEX withdrawals_by_seq ON withdrawals (seq);
CREATE INDEX withdrawals_by_time ON withdrawals (at);
CREATE INDEX revoked_tokens_by_time ON revoked_tokens (revoked_at);
