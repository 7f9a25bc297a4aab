-- Make the squares of days of the given communes what their surveys give; only rows that differ are
-- written. Lists, pairs and sums of degrees as in recount_squares.sql; days are those at UTC+7.
WITH flags AS MATERIALIZED (
    SELECT DISTINCT province_code, commune_code, subject_id
    FROM finding
    WHERE province_code = ANY(CAST(:provinces AS text[]))
      AND commune_code = ANY(CAST(:communes AS text[]))
      AND subject = 'survey' AND state = 'open' AND NOT blameless
),
records AS (
    SELECT province_code, commune_code, cell >> CAST(:below AS integer) AS square,
           (surveyed_at AT TIME ZONE INTERVAL '7 hours')::date - DATE '1970-01-01' AS day,
           verdict, geom,
           (province_code, commune_code, survey_id::text) IN (
               SELECT province_code, commune_code, subject_id FROM flags
           ) AS flagged
    FROM survey
    WHERE province_code = ANY(CAST(:provinces AS text[]))
      AND commune_code = ANY(CAST(:communes AS text[]))
      AND province_code || ' ' || commune_code = ANY(CAST(:pairs AS text[]))
      AND cell IS NOT NULL
),
single AS MATERIALIZED (
    SELECT province_code, commune_code, square, day,
           count(*) FILTER (WHERE verdict = 'inside') AS inside,
           count(*) FILTER (WHERE verdict = 'uncertain') AS uncertain,
           count(*) FILTER (WHERE verdict = 'outside') AS outside,
           count(*) FILTER (WHERE verdict = 'unlocated') AS unlocated,
           count(*) FILTER (WHERE verdict = 'inside' AND flagged) AS inside_flagged,
           count(*) FILTER (WHERE verdict = 'uncertain' AND flagged) AS uncertain_flagged,
           count(*) FILTER (WHERE verdict = 'outside' AND flagged) AS outside_flagged,
           count(*) FILTER (WHERE verdict = 'unlocated' AND flagged) AS unlocated_flagged,
           sum(round(ST_X(geom) * 1048576) / 1048576) AS lon_sum,
           sum(round(ST_Y(geom) * 1048576) / 1048576) AS lat_sum
    FROM records
    GROUP BY 1, 2, 3, 4
),
wanted AS MATERIALIZED (
    SELECT province_code, commune_code, square, scale, day >> scale AS block,
           sum(inside)::integer AS inside,
           sum(uncertain)::integer AS uncertain,
           sum(outside)::integer AS outside,
           sum(unlocated)::integer AS unlocated,
           sum(inside_flagged)::integer AS inside_flagged,
           sum(uncertain_flagged)::integer AS uncertain_flagged,
           sum(outside_flagged)::integer AS outside_flagged,
           sum(unlocated_flagged)::integer AS unlocated_flagged,
           sum(lon_sum) AS lon_sum, sum(lat_sum) AS lat_sum
    FROM single
    CROSS JOIN unnest(CAST(:scales AS integer[])) AS scale
    GROUP BY 1, 2, 3, 4, 5
),
stored AS MATERIALIZED (
    SELECT *
    FROM tile_day
    WHERE province_code = ANY(CAST(:provinces AS text[]))
      AND commune_code = ANY(CAST(:communes AS text[]))
      AND province_code || ' ' || commune_code = ANY(CAST(:pairs AS text[]))
),
gone AS (
    DELETE FROM tile_day USING (
        SELECT province_code, commune_code, square, scale, block FROM stored
        EXCEPT
        SELECT province_code, commune_code, square, scale, block FROM wanted
    ) AS no_more
    WHERE tile_day.province_code = no_more.province_code
      AND tile_day.commune_code = no_more.commune_code
      AND tile_day.square = no_more.square
      AND tile_day.scale = no_more.scale
      AND tile_day.block = no_more.block
)
INSERT INTO tile_day (
    province_code, commune_code, square, scale, block,
    inside, uncertain, outside, unlocated,
    inside_flagged, uncertain_flagged, outside_flagged, unlocated_flagged,
    lon_sum, lat_sum
)
SELECT * FROM wanted
EXCEPT
SELECT province_code, commune_code, square, scale, block,
    inside, uncertain, outside, unlocated,
    inside_flagged, uncertain_flagged, outside_flagged, unlocated_flagged,
    lon_sum, lat_sum
FROM stored
ON CONFLICT (province_code, commune_code, square, scale, block) DO UPDATE
SET inside = excluded.inside,
    uncertain = excluded.uncertain,
    outside = excluded.outside,
    unlocated = excluded.unlocated,
    inside_flagged = excluded.inside_flagged,
    uncertain_flagged = excluded.uncertain_flagged,
    outside_flagged = excluded.outside_flagged,
    unlocated_flagged = excluded.unlocated_flagged,
    lon_sum = excluded.lon_sum,
    lat_sum = excluded.lat_sum
