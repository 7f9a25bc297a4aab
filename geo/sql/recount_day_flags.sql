-- Count anew which surveys of the given communes are flagged in squares of days, where only findings
-- changed: as in recount_flags.sql.
WITH flags AS (
    SELECT DISTINCT province_code, commune_code, CAST(subject_id AS uuid) AS survey_id
    FROM finding
    WHERE province_code = ANY(CAST(:provinces AS text[]))
      AND commune_code = ANY(CAST(:communes AS text[]))
      AND subject = 'survey' AND state = 'open' AND NOT blameless
),
placed AS (
    SELECT province_code, commune_code, cell >> CAST(:below AS integer) AS square, verdict,
           (surveyed_at AT TIME ZONE INTERVAL '7 hours')::date - DATE '1970-01-01' AS day
    FROM flags
    JOIN survey USING (province_code, commune_code, survey_id)
    WHERE cell IS NOT NULL
),
both_sides AS (
    SELECT province_code, commune_code, square, scale, day >> scale AS block,
           (verdict = 'inside')::integer AS inside,
           (verdict = 'uncertain')::integer AS uncertain,
           (verdict = 'outside')::integer AS outside,
           (verdict = 'unlocated')::integer AS unlocated,
           0 AS inside_flagged, 0 AS uncertain_flagged, 0 AS outside_flagged, 0 AS unlocated_flagged
    FROM placed
    CROSS JOIN unnest(CAST(:scales AS integer[])) AS scale
    UNION ALL
    SELECT province_code, commune_code, square, scale, block, 0, 0, 0, 0,
           inside_flagged, uncertain_flagged, outside_flagged, unlocated_flagged
    FROM tile_day
    WHERE province_code = ANY(CAST(:provinces AS text[]))
      AND commune_code = ANY(CAST(:communes AS text[]))
),
differing AS (
    SELECT province_code, commune_code, square, scale, block,
           sum(inside) AS inside, sum(uncertain) AS uncertain,
           sum(outside) AS outside, sum(unlocated) AS unlocated
    FROM both_sides
    WHERE province_code || ' ' || commune_code = ANY(CAST(:pairs AS text[]))
    GROUP BY 1, 2, 3, 4, 5
    HAVING sum(inside) <> sum(inside_flagged)
        OR sum(uncertain) <> sum(uncertain_flagged)
        OR sum(outside) <> sum(outside_flagged)
        OR sum(unlocated) <> sum(unlocated_flagged)
)
UPDATE tile_day AS kept
SET inside_flagged = differing.inside,
    uncertain_flagged = differing.uncertain,
    outside_flagged = differing.outside,
    unlocated_flagged = differing.unlocated
FROM differing
WHERE kept.province_code = differing.province_code
  AND kept.commune_code = differing.commune_code
  AND kept.square = differing.square
  AND kept.scale = differing.scale
  AND kept.block = differing.block
