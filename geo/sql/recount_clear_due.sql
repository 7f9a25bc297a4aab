DELETE FROM site_due
USING unnest(CAST(:provinces AS text[]), CAST(:communes AS text[])) AS given (p, c)
WHERE province_code = p AND commune_code = c
