-- Take the given communes for this transaction, in one order for all writers, so that two of them
-- wait for each other instead of losing a count; and whoever holds an answer about them learns that
-- it is out of date. By a step of any length: a database that is put back to an earlier day must not
-- come to a number it once had with other rows. A sum over all communes still fits after a million
-- changes of each.
INSERT INTO commune_revision AS held (province_code, commune_code, revision)
SELECT p, c, 1 + floor(random() * 1073741824)::bigint
FROM unnest(CAST(:provinces AS text[]), CAST(:communes AS text[])) AS given (p, c)
ORDER BY p, c
ON CONFLICT (province_code, commune_code) DO UPDATE SET revision = held.revision + excluded.revision
