-- Note that something in these communes changed that rules read which see a province together.
INSERT INTO audit_due (province_code, commune_code)
SELECT p, c
FROM unnest(CAST(:provinces AS text[]), CAST(:communes AS text[])) AS given (p, c)
ORDER BY p, c
