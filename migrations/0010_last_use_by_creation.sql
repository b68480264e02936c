-- Last use in the order of creation: a page of keys that were idle for long reads neighbouring entries of one index,
-- instead of looking each key up in another place of the table.
CREATE INDEX key_last_use_by_creation ON key_last_use (organization, created_seq, idle_since);
