-- Whose allowance a revoked token takes from: whoever revoked it, and the organization that it is of. Rows from before have
-- neither, and are gone within an hour.
ALTER TABLE revoked_tokens ADD COLUMN revoked_by TEXT;
ALTER TABLE revoked_tokens ADD COLUMN organization TEXT;
CREATE INDEX revoked_tokens_by_revoker ON revoked_tokens (revoked_by, expires_at);
CREATE INDEX revoked_tokens_by_organization ON revoked_tokens (organization, expires_at);
DROP INDEX revoked_tokens_by_key;

-- A key has so many sessions at the console and no more.
CREATE INDEX console_sessions_by_key ON console_sessions (key_id, created_at);
