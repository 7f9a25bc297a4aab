-- Count households and surveys of the given communes from the tables.
-- A survey carries the commune of its household, so each table is read once and by its commune;
-- only poor households are looked up among the visited ones. The tables are filtered by lists
-- instead of joined with the pairs: the planner can tell how much a list selects. What provinces
-- and communes give beyond the pairs (other provinces' rows without a commune) falls out at the end.
WITH pairs AS MATERIALIZED (
    SELECT p AS province_code, c AS commune_code
    FROM unnest(CAST(:provinces AS text[]), CAST(:communes AS text[])) AS given (p, c)
),
visited AS MATERIALIZED (
    SELECT province_code, commune_code, household_code,
           count(*) AS surveys,
           count(*) FILTER (WHERE verdict = 'inside') AS inside,
           count(*) FILTER (WHERE verdict = 'uncertain') AS uncertain,
           count(*) FILTER (WHERE verdict = 'outside') AS outside,
           count(*) FILTER (WHERE verdict = 'unlocated') AS unlocated,
           max(surveyed_at) AS last_survey
    FROM survey
    WHERE province_code = ANY(CAST(:provinces AS text[]))
      AND commune_code = ANY(CAST(:communes AS text[]))
    GROUP BY 1, 2, 3
),
surveys AS (
    SELECT province_code, commune_code,
           count(*) AS surveyed,
           count(*) FILTER (WHERE inside > 0) AS verified,
           sum(surveys) AS surveys,
           sum(inside) AS inside,
           sum(uncertain) AS uncertain,
           sum(outside) AS outside,
           sum(unlocated) AS unlocated,
           max(last_survey) AS last_survey
    FROM visited
    GROUP BY 1, 2
),
households AS (
    SELECT province_code, commune_code,
           count(*) AS households,
           count(*) FILTER (WHERE status = 'poor') AS poor,
           count(*) FILTER (WHERE status = 'near_poor') AS near_poor,
           count(status) AS rated
    FROM household
    WHERE province_code = ANY(CAST(:provinces AS text[]))
      AND commune_code = ANY(CAST(:communes AS text[]))
    GROUP BY 1, 2
),
poor AS (
    SELECT province_code, commune_code, count(*) AS poor_surveyed
    FROM household
    JOIN visited USING (province_code, commune_code, household_code)
    WHERE status = 'poor'
      AND province_code = ANY(CAST(:provinces AS text[]))
      AND commune_code = ANY(CAST(:communes AS text[]))
    GROUP BY 1, 2
)
UPDATE commune_counter AS counter
SET households = coalesce(households.households, 0),
    poor = coalesce(households.poor, 0),
    near_poor = coalesce(households.near_poor, 0),
    rated = coalesce(households.rated, 0),
    surveyed = coalesce(surveys.surveyed, 0),
    verified = coalesce(surveys.verified, 0),
    poor_surveyed = coalesce(poor.poor_surveyed, 0),
    surveys = coalesce(surveys.surveys, 0),
    inside = coalesce(surveys.inside, 0),
    uncertain = coalesce(surveys.uncertain, 0),
    outside = coalesce(surveys.outside, 0),
    unlocated = coalesce(surveys.unlocated, 0),
    last_survey = surveys.last_survey
FROM pairs
LEFT JOIN households USING (province_code, commune_code)
LEFT JOIN surveys USING (province_code, commune_code)
LEFT JOIN poor USING (province_code, commune_code)
WHERE counter.province_code = pairs.province_code
  AND counter.commune_code = pairs.commune_code
