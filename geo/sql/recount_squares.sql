-- Make the squares of the given communes what their records give; only rows that differ are written.
-- Counted once at the finest level, then added up. Degrees are rounded to 2^-20 (0.1 m): their sums
-- are exact. Lists as in recount_communes.sql; what they give beyond the pairs falls out. Arrays of
-- constants and subqueries in what is selected are hashed, whatever the planner thinks of their
-- sizes; a join it would guess to be small and compare each with each.
WITH held AS MATERIALIZED (
    SELECT province_code, commune_code, subject, subject_id, rule,
           state = 'open' AND NOT blameless AS flagged
    FROM finding
    WHERE province_code = ANY(CAST(:provinces AS text[]))
      AND commune_code = ANY(CAST(:communes AS text[]))
      AND CAST(:layers AS text[]) && '{surveys,sites,findings}'
),
flags AS MATERIALIZED (
    SELECT DISTINCT province_code, commune_code, subject, subject_id FROM held WHERE flagged
),
records AS (
    SELECT province_code, commune_code, 'surveys' AS layer, verdict AS class, cell, geom,
           (province_code, commune_code, survey_id::text) IN (
               SELECT province_code, commune_code, subject_id FROM flags WHERE subject = 'survey'
           ) AS flagged
    FROM survey
    WHERE province_code = ANY(CAST(:provinces AS text[]))
      AND commune_code = ANY(CAST(:communes AS text[]))
      AND cell IS NOT NULL AND 'surveys' = ANY(CAST(:layers AS text[]))
    UNION ALL
    SELECT province_code, commune_code, 'households', coalesce(status, ''), cell, geom, false
    FROM household
    WHERE province_code = ANY(CAST(:provinces AS text[]))
      AND commune_code = ANY(CAST(:communes AS text[]))
      AND cell IS NOT NULL AND 'households' = ANY(CAST(:layers AS text[]))
    UNION ALL
    SELECT province_code, commune_code, 'sites', stage, cell, geom,
           (province_code, commune_code, site_code) IN (
               SELECT province_code, commune_code, subject_id FROM flags WHERE subject = 'site'
           )
    FROM site
    WHERE province_code = ANY(CAST(:provinces AS text[]))
      AND commune_code = ANY(CAST(:communes AS text[]))
      AND cell IS NOT NULL AND 'sites' = ANY(CAST(:layers AS text[]))
    UNION ALL
    SELECT held.province_code, held.commune_code, 'findings', rule, cell, geom, flagged
    FROM held
    JOIN survey ON survey.province_code = held.province_code
        AND survey.commune_code = held.commune_code
        AND survey_id = CAST(CASE WHEN subject = 'survey' THEN subject_id END AS uuid)
    WHERE cell IS NOT NULL AND 'findings' = ANY(CAST(:layers AS text[]))
    UNION ALL
    SELECT held.province_code, held.commune_code, 'findings', rule, cell, geom, flagged
    FROM held
    JOIN site ON site.province_code = held.province_code
        AND site.commune_code = held.commune_code
        AND site_code = subject_id
    WHERE subject = 'site'
      AND cell IS NOT NULL AND 'findings' = ANY(CAST(:layers AS text[]))
),
finest AS MATERIALIZED (
    SELECT province_code, commune_code, layer, cell >> CAST(:below AS integer) AS square, class,
           count(*) AS records, count(*) FILTER (WHERE flagged) AS flagged,
           sum(round(ST_X(geom) * 1048576) / 1048576) AS lon_sum,
           sum(round(ST_Y(geom) * 1048576) / 1048576) AS lat_sum
    FROM records
    GROUP BY 1, 2, 3, 4, 5
),
wanted AS MATERIALIZED (
    SELECT province_code, commune_code, layer, level,
           square >> 2 * (CAST(:finest AS integer) - level) AS square, class,
           sum(records)::integer AS records, sum(flagged)::integer AS flagged,
           sum(lon_sum) AS lon_sum, sum(lat_sum) AS lat_sum
    FROM finest
    CROSS JOIN unnest(CAST(:levels AS integer[])) AS level
    WHERE province_code || ' ' || commune_code = ANY(CAST(:pairs AS text[]))
    GROUP BY 1, 2, 3, 4, 5, 6
),
stored AS MATERIALIZED (
    SELECT *
    FROM tile_square
    WHERE province_code = ANY(CAST(:provinces AS text[]))
      AND commune_code = ANY(CAST(:communes AS text[]))
      AND layer = ANY(CAST(:layers AS text[]))
      AND province_code || ' ' || commune_code = ANY(CAST(:pairs AS text[]))
),
gone AS (
    DELETE FROM tile_square USING (
        SELECT province_code, commune_code, layer, level, square, class FROM stored
        EXCEPT
        SELECT province_code, commune_code, layer, level, square, class FROM wanted
    ) AS no_more
    WHERE tile_square.province_code = no_more.province_code
      AND tile_square.commune_code = no_more.commune_code
      AND tile_square.layer = no_more.layer
      AND tile_square.level = no_more.level
      AND tile_square.square = no_more.square
      AND tile_square.class = no_more.class
)
INSERT INTO tile_square (
    province_code, commune_code, layer, level, square, class, records, flagged, lon_sum, lat_sum
)
SELECT * FROM wanted
EXCEPT
SELECT province_code, commune_code, layer, level, square, class, records, flagged, lon_sum, lat_sum
FROM stored
ON CONFLICT (province_code, commune_code, layer, level, square, class) DO UPDATE
SET records = excluded.records,
    flagged = excluded.flagged,
    lon_sum = excluded.lon_sum,
    lat_sum = excluded.lat_sum
