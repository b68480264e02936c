-- The name of whoever acted, as it was then. A member of the deployment acts as 'operator'; operator_id says who it was, for
-- those who may know.
ALTER TABLE audit_events ADD COLUMN actor_name TEXT;
ALTER TABLE audit_events ADD COLUMN operator_id TEXT;

-- The name of whoever created the key, as it was then.
ALTER TABLE api_keys ADD COLUMN created_by_name TEXT;
