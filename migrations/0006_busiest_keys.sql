-- How often each key was used in a day and in a month of UTC (span: 'day' or 'month'; start: Unix seconds of its first
-- second), so that the busiest keys of an organization are read in their order, however many keys were in use. What
-- the total is made of stands beside it, a column for each kind of use: as many rows to write as with the total
-- alone, and one to read for each key instead of a month of day buckets.
CREATE TABLE key_totals (
    span         TEXT   NOT NULL,
    start        BIGINT NOT NULL,
    key_id       TEXT   NOT NULL,
    organization TEXT   NOT NULL,
    total        BIGINT NOT NULL,
    token        BIGINT NOT NULL,
    direct       BIGINT NOT NULL,
    revoked      BIGINT NOT NULL,
    expired      BIGINT NOT NULL,
    address      BIGINT NOT NULL,
    secret       BIGINT NOT NULL,
    -- Begins with the period: what is written together lies together, and what is old is found by its age.
    PRIMARY KEY (span, start, key_id)
);

-- What was counted before: all months that there are days of, and of days the last one, which may not be over. A key
-- that has been deleted since is left out, as nothing tells whose it was. The first day of a day's month follows from
-- the days since 0000-03-01, by the four-hundred-year cycle of the calendar, whose years begin in March.
INSERT INTO key_totals
    (span, start, key_id, organization, total, token, direct, revoked, expired, address, secret)
WITH
    days (day) AS (SELECT DISTINCT start FROM key_usage WHERE span = 86400),
    cycle (day, day_of_cycle) AS (SELECT day, (day / 86400 + 719468) % 146097 FROM days),
    years (day, day_of_cycle, year) AS (
        SELECT day, day_of_cycle,
            (day_of_cycle - day_of_cycle / 1460 + day_of_cycle / 36524 - day_of_cycle / 146096) / 365
        FROM cycle
    ),
    march (day, since_march) AS (SELECT day, day_of_cycle - (365 * year + year / 4 - year / 100) FROM years),
    periods (day, span, start) AS (
        SELECT day, 'month', day - 86400 * (since_march - (153 * ((5 * since_march + 2) / 153) + 2) / 5) FROM march
        UNION ALL
        SELECT MAX(day), 'day', MAX(day) FROM days
    )
SELECT p.span, p.start, u.key_id, k.organization, CAST(SUM(u.count) AS BIGINT),
    CAST(SUM(CASE u.kind WHEN 'token' THEN u.count ELSE 0 END) AS BIGINT),
    CAST(SUM(CASE u.kind WHEN 'direct' THEN u.count ELSE 0 END) AS BIGINT),
    CAST(SUM(CASE u.kind WHEN 'revoked' THEN u.count ELSE 0 END) AS BIGINT),
    CAST(SUM(CASE u.kind WHEN 'expired' THEN u.count ELSE 0 END) AS BIGINT),
    CAST(SUM(CASE u.kind WHEN 'address' THEN u.count ELSE 0 END) AS BIGINT),
    CAST(SUM(CASE u.kind WHEN 'secret' THEN u.count ELSE 0 END) AS BIGINT)
FROM periods p
JOIN key_usage u ON u.span = 86400 AND u.start = p.day
JOIN api_keys k ON k.id = u.key_id
GROUP BY p.span, p.start, u.key_id, k.organization;

CREATE INDEX key_totals_busiest ON key_totals (organization, span, start, total DESC, key_id);
