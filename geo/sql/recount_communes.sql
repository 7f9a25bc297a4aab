-- Count households, their surveys of the given communes from the tables.
-- A household counts in its own commune, a survey in the commune of its own recorded address.
WITH pairs AS MATERIALIZED (
    SELECT p AS province_code, c AS commune_code
    FROM unnest(CAST(:provinces AS text[]), CAST(:communes AS text[])) AS given (p, c)
),
household_rows AS (
    SELECT h.province_code, h.commune_code, h.status,
           count(s.survey_id) > 0 AS surveyed,
           coalesce(bool_or(s.verdict = 'inside'), false) AS verified
    FROM pairs
    JOIN household h USING (province_code, commune_code)
    LEFT JOIN survey s
        ON s.province_code = h.province_code AND s.household_code = h.household_code
    GROUP BY h.province_code, h.household_code
),
households AS (
    SELECT province_code, commune_code,
           count(*) AS households,
           count(*) FILTER (WHERE status = 'poor') AS poor,
           count(*) FILTER (WHERE status = 'near_poor') AS near_poor,
           count(status) AS rated,
           count(*) FILTER (WHERE surveyed) AS surveyed,
           count(*) FILTER (WHERE verified) AS verified,
           count(*) FILTER (WHERE surveyed AND status = 'poor') AS poor_surveyed
    FROM household_rows
    GROUP BY 1, 2
),
surveys AS (
    SELECT province_code, commune_code,
           count(*) AS surveys,
           count(*) FILTER (WHERE verdict = 'inside') AS inside,
           count(*) FILTER (WHERE verdict = 'uncertain') AS uncertain,
           count(*) FILTER (WHERE verdict = 'outside') AS outside,
           count(*) FILTER (WHERE verdict = 'unlocated') AS unlocated,
           max(surveyed_at) AS last_survey
    FROM pairs
    JOIN survey USING (province_code, commune_code)
    GROUP BY 1, 2
)
UPDATE commune_counter AS counter
SET households = coalesce(households.households, 0),
    poor = coalesce(households.poor, 0),
    near_poor = coalesce(households.near_poor, 0),
    rated = coalesce(households.rated, 0),
    surveyed = coalesce(households.surveyed, 0),
    verified = coalesce(households.verified, 0),
    poor_surveyed = coalesce(households.poor_surveyed, 0),
    surveys = coalesce(surveys.surveys, 0),
    inside = coalesce(surveys.inside, 0),
    uncertain = coalesce(surveys.uncertain, 0),
    outside = coalesce(surveys.outside, 0),
    unlocated = coalesce(surveys.unlocated, 0),
    last_activity = last_survey
FROM pairs
LEFT JOIN households USING (province_code, commune_code)
LEFT JOIN surveys USING (province_code, commune_code)
WHERE counter.province_code = pairs.province_code
  AND counter.commune_code = pairs.commune_code
