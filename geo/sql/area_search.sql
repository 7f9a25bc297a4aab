-- Areas by folded name or code: the whole name, then its end (the name without its kind),
-- then the start of any word; only when there is none of these, by likeness.
WITH candidate AS (
    SELECT area.*,
           CASE
               WHEN code = :wanted OR :wanted = ANY (other_codes) THEN 0
               WHEN name_key = :wanted THEN 1
               WHEN right(name_key, length(:wanted) + 1) = ' ' || :wanted THEN 2
               WHEN starts_with(name_key, :wanted) THEN 3
               WHEN strpos(' ' || name_key, ' ' || :wanted) > 0 THEN 4
           END AS rank,
           CAST(0 AS real) AS unlike
    FROM area
    WHERE (CAST(:on AS date) IS NULL
           OR ((valid_from IS NULL OR valid_from <= CAST(:on AS date))
               AND (valid_to IS NULL OR valid_to >= CAST(:on AS date))))
      AND (:anywhere
           OR (valid_to IS NULL
               AND (province_code = ANY (CAST(:provinces AS text[]))
                    OR (level = 'commune' AND code = ANY (CAST(:communes AS text[]))))))
), written AS (
    SELECT * FROM candidate WHERE rank IS NOT NULL
), alike AS (
    SELECT * FROM (
        SELECT area_id, 5 AS rank, 1 - word_similarity(:wanted, name_key) AS unlike
        FROM candidate
        WHERE NOT EXISTS (SELECT 1 FROM written)
    ) AS measured
    WHERE unlike <= 1 - :similarity
)
SELECT area_id, code, level, name, full_name, kind, parent_code, province_code,
       valid_from, valid_to
FROM (
    SELECT area_id, rank, unlike FROM written
    UNION ALL
    SELECT area_id, rank, unlike FROM alike
) AS hit
JOIN area USING (area_id)
ORDER BY valid_to IS NOT NULL, rank, unlike,
         array_position(ARRAY['country', 'province', 'district', 'commune'], level),
         code, area_id
LIMIT :limit
