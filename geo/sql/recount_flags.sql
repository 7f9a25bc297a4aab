-- Count anew which surveys and sites of the given communes are flagged, where only findings changed:
-- the squares stay, so only what is doubted is read. Lists and pairs as in recount_squares.sql.
WITH flags AS (
    SELECT DISTINCT province_code, commune_code, subject, subject_id
    FROM finding
    WHERE province_code = ANY(CAST(:provinces AS text[]))
      AND commune_code = ANY(CAST(:communes AS text[]))
      AND state = 'open' AND NOT blameless
),
placed AS MATERIALIZED (
    SELECT flags.province_code, flags.commune_code, 'surveys' AS layer, cell, verdict AS class
    FROM flags
    JOIN survey ON survey.province_code = flags.province_code
        AND survey.commune_code = flags.commune_code
        AND survey_id = CAST(CASE WHEN subject = 'survey' THEN subject_id END AS uuid)
    WHERE cell IS NOT NULL
    UNION ALL
    SELECT flags.province_code, flags.commune_code, 'sites', cell, stage
    FROM flags
    JOIN site ON site.province_code = flags.province_code
        AND site.commune_code = flags.commune_code
        AND site_code = subject_id
    WHERE subject = 'site' AND cell IS NOT NULL
),
both_sides AS (
    SELECT province_code, commune_code, layer, level,
           cell >> CAST(:below AS integer) + 2 * (CAST(:finest AS integer) - level) AS square, class,
           0 AS stored, 1 AS wanted
    FROM placed
    CROSS JOIN unnest(CAST(:levels AS integer[])) AS level
    UNION ALL
    SELECT province_code, commune_code, layer, level, square, class, flagged, 0
    FROM tile_square
    WHERE province_code = ANY(CAST(:provinces AS text[]))
      AND commune_code = ANY(CAST(:communes AS text[]))
      AND layer IN ('surveys', 'sites')
),
differing AS (
    SELECT province_code, commune_code, layer, level, square, class, sum(wanted) AS flagged
    FROM both_sides
    WHERE province_code || ' ' || commune_code = ANY(CAST(:pairs AS text[]))
    GROUP BY 1, 2, 3, 4, 5, 6
    HAVING sum(stored) <> sum(wanted)
)
UPDATE tile_square AS kept
SET flagged = differing.flagged
FROM differing
WHERE kept.province_code = differing.province_code
  AND kept.commune_code = differing.commune_code
  AND kept.layer = differing.layer
  AND kept.level = differing.level
  AND kept.square = differing.square
  AND kept.class = differing.class
