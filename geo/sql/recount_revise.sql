-- Whoever holds an answer about the given communes learns that it is out of date. By a step of any
-- length: a database that is put back to an earlier day must not come to a number it once had with
-- other rows. A sum over all communes still fits after a million changes of each.
UPDATE commune_counter
SET revision = revision + 1 + floor(random() * 1073741824)::bigint
FROM unnest(CAST(:provinces AS text[]), CAST(:communes AS text[])) AS given (p, c)
WHERE province_code = p AND commune_code = c
