-- Count on unfinished sites that were added, by due date; needs the locks of the communes' counters.
INSERT INTO site_due AS stored (province_code, commune_code, due_on, unfinished)
SELECT p, c, due_on, number
FROM unnest(
    CAST(:provinces AS text[]), CAST(:communes AS text[]), CAST(:days AS date[]),
    CAST(:number AS integer[])
) AS added (p, c, due_on, number)
ORDER BY 1, 2, 3
ON CONFLICT (province_code, commune_code, due_on) DO UPDATE
SET unfinished = stored.unfinished + excluded.unfinished
