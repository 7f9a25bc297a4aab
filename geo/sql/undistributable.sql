-- What of the database Citus would refuse to distribute by province_code, in words.
WITH listed (name, place) AS (
    SELECT unnest(CAST(:distributed AS text[])), 'distributed'
    UNION ALL SELECT unnest(CAST(:reference AS text[])), 'reference'
    UNION ALL SELECT unnest(CAST(:local AS text[])), 'local'
),
ours AS (
    SELECT c.oid, c.relname::text AS name, listed.place
    FROM pg_class AS c
    LEFT JOIN listed ON listed.name = c.relname
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
        AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.objid = c.oid AND d.deptype = 'e')
),
province AS (
    SELECT a.attrelid, a.attnum, a.atttypid, a.attnotnull, a.attcollation
    FROM pg_attribute AS a
    WHERE a.attname = 'province_code'
),
keys AS (
    SELECT f.conname, one.name, one.place, other.name AS to_name, other.place AS to_place,
        EXISTS (
            SELECT FROM unnest(f.conkey, f.confkey) AS pair (mine, theirs)
            JOIN province AS p ON p.attrelid = f.conrelid AND p.attnum = pair.mine
            JOIN province AS q ON q.attrelid = f.confrelid AND q.attnum = pair.theirs
        ) AS by_province
    FROM pg_constraint AS f
    JOIN ours AS one ON one.oid = f.conrelid
    JOIN ours AS other ON other.oid = f.confrelid
    WHERE f.contype = 'f'
)
SELECT format('the table %s is in no list of geo/distribution.py', name) AS problem
FROM ours WHERE place IS NULL
UNION ALL
SELECT format('%s is listed, and there is no such table', name)
FROM listed WHERE name NOT IN (SELECT name FROM ours)
UNION ALL
SELECT format('%s has no province_code, or one that may be missing or is no plain text', name)
FROM ours LEFT JOIN province AS p ON p.attrelid = ours.oid
WHERE place = 'distributed'
    AND (p.attnum IS NULL OR NOT p.attnotnull OR p.atttypid <> 'text'::regtype
        OR p.attcollation <> (SELECT oid FROM pg_collation WHERE collname = 'default'))
UNION ALL
SELECT format('%s has no primary key', name)
FROM ours
WHERE place <> 'local'
    AND NOT EXISTS (SELECT FROM pg_index AS i WHERE i.indrelid = ours.oid AND i.indisprimary)
UNION ALL
SELECT format('the unique index %s of %s lacks province_code', i.indexrelid::regclass, name)
FROM ours
JOIN pg_index AS i ON i.indrelid = ours.oid
LEFT JOIN province AS p ON p.attrelid = ours.oid
WHERE place = 'distributed' AND (i.indisunique OR i.indisexclusion)
    AND NOT coalesce(p.attnum = ANY (i.indkey::int2[]), false)
UNION ALL
SELECT format('the foreign key %s leads from %s (%s) to %s (%s)', conname, name, place, to_name,
              to_place)
FROM keys
WHERE (place, to_place) NOT IN (
    ('distributed', 'distributed'), ('distributed', 'reference'), ('reference', 'reference'),
    ('local', 'local'), ('local', 'reference')
)
UNION ALL
SELECT format('the foreign key %s of %s lacks province_code', conname, name)
FROM keys
WHERE place = 'distributed' AND to_place = 'distributed' AND NOT by_province
UNION ALL
SELECT format('%s has the trigger %s', name, t.tgname)
FROM ours JOIN pg_trigger AS t ON t.tgrelid = ours.oid
WHERE place <> 'local' AND NOT t.tgisinternal
UNION ALL
SELECT format('%s has the rule %s', name, r.rulename)
FROM ours JOIN pg_rewrite AS r ON r.ev_class = ours.oid
WHERE place <> 'local'
UNION ALL
SELECT format('the numbers of %s.%s have fewer than 64 bits', name, a.attname)
FROM ours JOIN pg_attribute AS a ON a.attrelid = ours.oid
WHERE place <> 'local' AND a.attidentity <> '' AND a.atttypid <> 'bigint'::regtype
UNION ALL
SELECT format('%s inherits from another table', name)
FROM ours JOIN pg_inherits AS i ON i.inhrelid = ours.oid
WHERE place <> 'local'
ORDER BY problem
