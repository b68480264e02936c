-- The busiest keys are those that were used most: what was refused is counted beside it, and is no use.
UPDATE key_totals SET total = token + direct;
