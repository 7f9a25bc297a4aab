-- A counter row for every given commune that has none.
INSERT INTO commune_counter (province_code, commune_code)
SELECT p, c
FROM unnest(CAST(:provinces AS text[]), CAST(:communes AS text[])) AS pairs (p, c)
ON CONFLICT DO NOTHING
