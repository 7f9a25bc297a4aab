-- Areas by folded name or code: the whole name, then its end (the name without its kind),
-- then the start of any word. Those of the given provinces and communes come first.
SELECT area_id, code, level, name, full_name, kind, parent_code, province_code,
       valid_from, valid_to
FROM (
    SELECT *,
           CASE
               WHEN code = :wanted OR :wanted = ANY (other_codes) THEN 0
               WHEN name_key = :wanted THEN 1
               WHEN right(name_key, length(:wanted) + 1) = ' ' || :wanted THEN 2
               WHEN starts_with(name_key, :wanted) THEN 3
               WHEN strpos(name_key, ' ' || :wanted) > 0 THEN 4
           END AS rank
    FROM area
    WHERE (strpos(name_key, :wanted) > 0 OR code = :wanted OR :wanted = ANY (other_codes))
      AND (CAST(:on AS date) IS NULL
           OR ((valid_from IS NULL OR valid_from <= CAST(:on AS date))
               AND (valid_to IS NULL OR valid_to >= CAST(:on AS date))))
      AND (:anywhere
           OR (valid_to IS NULL
               AND (province_code = ANY (CAST(:provinces AS text[]))
                    OR (level = 'commune' AND code = ANY (CAST(:communes AS text[]))))))
) AS candidate
WHERE rank IS NOT NULL
ORDER BY valid_to IS NOT NULL,
         (province_code = ANY (CAST(:provinces AS text[]))
          OR (level = 'commune' AND code = ANY (CAST(:communes AS text[])))) IS NOT TRUE,
         rank,
         array_position(ARRAY['country', 'province', 'district', 'commune'], level),
         code, area_id
LIMIT :limit
