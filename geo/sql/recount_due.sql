-- Count the unfinished sites of the given communes by due date: tomorrow one more may be late,
-- without any write.
INSERT INTO site_due (province_code, commune_code, due_on, unfinished)
SELECT province_code, commune_code, due_on, count(*)
FROM site
JOIN unnest(CAST(:provinces AS text[]), CAST(:communes AS text[])) AS given (p, c)
    ON province_code = p AND commune_code = c
WHERE due_on IS NOT NULL AND stage NOT IN ('completed', 'accepted', 'handed_over')
GROUP BY 1, 2, 3
