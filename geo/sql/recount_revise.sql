-- Whoever holds an answer about the given communes learns that it is out of date.
UPDATE commune_counter
SET revision = revision + 1
FROM unnest(CAST(:provinces AS text[]), CAST(:communes AS text[])) AS given (p, c)
WHERE province_code = p AND commune_code = c
