-- When a membership ended because the groups of the person at the provider did not give it any more. Such a membership comes
-- back with the group. It stays NULL if somebody removed the member.
ALTER TABLE members ADD COLUMN left_at BIGINT;
