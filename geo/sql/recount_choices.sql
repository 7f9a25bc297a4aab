-- Make the squares of choices of the given communes what their records give, in the layers named; only
-- rows that differ are written. Lists, pairs and sums of degrees as in recount_squares.sql; days are
-- those at UTC+7, of the visit or of the receipt.
WITH doubts AS MATERIALIZED (
    SELECT province_code, commune_code, subject, subject_id, rule, state,
           state = 'open' AND NOT blameless AS held
    FROM finding
    WHERE province_code = ANY(CAST(:provinces AS text[]))
      AND commune_code = ANY(CAST(:communes AS text[]))
      AND CAST(:layers AS text[]) && '{sites,survey_findings,site_findings}'
),
flags AS MATERIALIZED (
    SELECT DISTINCT province_code, commune_code, subject, subject_id FROM doubts WHERE held
),
records AS (
    SELECT province_code, commune_code, 'households' AS layer, received_at AS moment, cell, geom,
           '' AS rule, coalesce(status, '') AS class, '' AS verdict, '' AS state,
           false AS flagged, false AS held
    FROM household
    WHERE province_code = ANY(CAST(:provinces AS text[]))
      AND commune_code = ANY(CAST(:communes AS text[]))
      AND cell IS NOT NULL AND 'households' = ANY(CAST(:layers AS text[]))
    UNION ALL
    SELECT province_code, commune_code, 'sites', received_at, cell, geom,
           '', stage, verdict, '',
           (province_code, commune_code, site_code) IN (
               SELECT province_code, commune_code, subject_id FROM flags WHERE subject = 'site'
           ), false
    FROM site
    WHERE province_code = ANY(CAST(:provinces AS text[]))
      AND commune_code = ANY(CAST(:communes AS text[]))
      AND cell IS NOT NULL AND 'sites' = ANY(CAST(:layers AS text[]))
    UNION ALL
    SELECT doubts.province_code, doubts.commune_code, 'survey_findings', surveyed_at, cell, geom,
           rule, '', verdict, state,
           (doubts.province_code, doubts.commune_code, subject_id) IN (
               SELECT province_code, commune_code, subject_id FROM flags WHERE subject = 'survey'
           ), held
    FROM doubts
    JOIN survey ON survey.province_code = doubts.province_code
        AND survey.commune_code = doubts.commune_code
        AND survey_id = CAST(CASE WHEN subject = 'survey' THEN subject_id END AS uuid)
    WHERE cell IS NOT NULL AND 'survey_findings' = ANY(CAST(:layers AS text[]))
    UNION ALL
    SELECT doubts.province_code, doubts.commune_code, 'site_findings', received_at, cell, geom,
           rule, stage, verdict, state,
           (doubts.province_code, doubts.commune_code, subject_id) IN (
               SELECT province_code, commune_code, subject_id FROM flags WHERE subject = 'site'
           ), held
    FROM doubts
    JOIN site ON site.province_code = doubts.province_code
        AND site.commune_code = doubts.commune_code
        AND site_code = subject_id
    WHERE subject = 'site'
      AND cell IS NOT NULL AND 'site_findings' = ANY(CAST(:layers AS text[]))
),
single AS MATERIALIZED (
    SELECT province_code, commune_code, layer,
           (moment AT TIME ZONE INTERVAL '7 hours')::date - DATE '1970-01-01' AS day,
           cell >> CAST(:below AS integer) AS square, rule, class, verdict, state,
           count(*) AS records,
           count(*) FILTER (WHERE flagged) AS flagged,
           count(*) FILTER (WHERE held) AS held,
           sum(round(ST_X(geom) * 1048576) / 1048576) AS lon_sum,
           sum(round(ST_Y(geom) * 1048576) / 1048576) AS lat_sum
    FROM records
    WHERE province_code || ' ' || commune_code = ANY(CAST(:pairs AS text[]))
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9
),
wanted AS MATERIALIZED (
    SELECT province_code, commune_code, layer, scale, day >> scale AS block, square,
           rule, class, verdict, state,
           sum(records)::integer AS records, sum(flagged)::integer AS flagged,
           sum(held)::integer AS held, sum(lon_sum) AS lon_sum, sum(lat_sum) AS lat_sum
    FROM single
    CROSS JOIN unnest(CAST(:scales AS integer[])) AS scale
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
),
stored AS MATERIALIZED (
    SELECT *
    FROM tile_choice
    WHERE province_code = ANY(CAST(:provinces AS text[]))
      AND commune_code = ANY(CAST(:communes AS text[]))
      AND layer = ANY(CAST(:layers AS text[]))
      AND province_code || ' ' || commune_code = ANY(CAST(:pairs AS text[]))
),
gone AS (
    DELETE FROM tile_choice USING (
        SELECT province_code, commune_code, layer, scale, block, square, rule, class, verdict, state
        FROM stored
        EXCEPT
        SELECT province_code, commune_code, layer, scale, block, square, rule, class, verdict, state
        FROM wanted
    ) AS no_more
    WHERE tile_choice.province_code = no_more.province_code
      AND tile_choice.commune_code = no_more.commune_code
      AND tile_choice.layer = no_more.layer
      AND tile_choice.scale = no_more.scale
      AND tile_choice.block = no_more.block
      AND tile_choice.square = no_more.square
      AND tile_choice.rule = no_more.rule
      AND tile_choice.class = no_more.class
      AND tile_choice.verdict = no_more.verdict
      AND tile_choice.state = no_more.state
)
INSERT INTO tile_choice (
    province_code, commune_code, layer, scale, block, square, rule, class, verdict, state,
    records, flagged, held, lon_sum, lat_sum
)
SELECT * FROM wanted
EXCEPT
SELECT province_code, commune_code, layer, scale, block, square, rule, class, verdict, state,
    records, flagged, held, lon_sum, lat_sum
FROM stored
ON CONFLICT (province_code, commune_code, layer, scale, block, square, rule, class, verdict, state)
DO UPDATE
SET records = excluded.records,
    flagged = excluded.flagged,
    held = excluded.held,
    lon_sum = excluded.lon_sum,
    lat_sum = excluded.lat_sum
