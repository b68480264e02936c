-- What the nodes of a deployment have to agree on. NULL is what no start has said yet.
ALTER TABLE deployment ADD COLUMN issuer TEXT;
ALTER TABLE deployment ADD COLUMN brand TEXT;

-- The audiences of the node that started last, separated by spaces; NULL when they follow from a listener.
ALTER TABLE deployment ADD COLUMN audiences TEXT;

-- Up to this moment time has passed steadily: what is deleted by its age is no older than by this. NULL before the first
-- round of deletions.
ALTER TABLE deployment ADD COLUMN steady_at BIGINT;
