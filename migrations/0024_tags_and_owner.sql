-- What people attach to a key to find it again: tags, as canonical JSON such as {"team":"billing"}, and who is responsible
-- for it: a member's id, or free text.
ALTER TABLE api_keys ADD COLUMN tags TEXT NOT NULL DEFAULT '{}';
ALTER TABLE api_keys ADD COLUMN owner TEXT;
