-- Areas by the likeness of their folded names, where none matches as written; see area_search.sql.
SELECT area_id, code, level, name, full_name, kind, parent_code, province_code,
       valid_from, valid_to
FROM (
    SELECT *, 1 - word_similarity(:wanted, name_key) AS unlike
    FROM area
    WHERE (CAST(:on AS date) IS NULL
           OR ((valid_from IS NULL OR valid_from <= CAST(:on AS date))
               AND (valid_to IS NULL OR valid_to >= CAST(:on AS date))))
      AND (:anywhere
           OR (valid_to IS NULL
               AND (province_code = ANY (CAST(:provinces AS text[]))
                    OR (level = 'commune' AND code = ANY (CAST(:communes AS text[]))))))
) AS candidate
WHERE unlike <= 1 - :similarity
ORDER BY valid_to IS NOT NULL,
         (province_code = ANY (CAST(:provinces AS text[]))
          OR (level = 'commune' AND code = ANY (CAST(:communes AS text[])))) IS NOT TRUE,
         unlike,
         array_position(ARRAY['country', 'province', 'district', 'commune'], level),
         code, area_id
LIMIT :limit
