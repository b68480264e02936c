-- Whether all tokens of a key have to be bound to a key of the client (RFC 9449): 'optional' or 'required'. A key that
-- requires it opens neither the console nor the command line, so its is_way_in is 0.
ALTER TABLE api_keys ADD COLUMN dpop TEXT NOT NULL DEFAULT 'optional';

-- Refusals for want of a proof have a column beside those for other reasons.
ALTER TABLE key_totals ADD COLUMN proof BIGINT NOT NULL DEFAULT 0;
