-- Where each key was last used from by its client, and when. A check of the key by a resource server has another address,
-- and changes neither.
ALTER TABLE key_last_use ADD COLUMN address TEXT;
ALTER TABLE key_last_use ADD COLUMN address_at BIGINT;
