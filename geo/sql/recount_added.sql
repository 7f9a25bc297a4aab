-- Count on rows that were added to communes; needs their locks. What depends on a household's other
-- surveys follows in recount_visited.sql.
INSERT INTO commune_counter AS counter (
    province_code, commune_code, households, poor, near_poor, rated,
    surveys, inside, uncertain, outside, unlocated, last_survey, last_activity
)
SELECT p, c, households, poor, near_poor, rated,
       surveys, inside, uncertain, outside, unlocated, last, last
FROM unnest(
    CAST(:provinces AS text[]), CAST(:communes AS text[]), CAST(:households AS integer[]),
    CAST(:poor AS integer[]), CAST(:near_poor AS integer[]), CAST(:rated AS integer[]),
    CAST(:surveys AS integer[]), CAST(:inside AS integer[]), CAST(:uncertain AS integer[]),
    CAST(:outside AS integer[]), CAST(:unlocated AS integer[]), CAST(:last AS timestamptz[])
) AS added (
    p, c, households, poor, near_poor, rated, surveys, inside, uncertain, outside, unlocated, last
)
ON CONFLICT (province_code, commune_code) DO UPDATE
SET households = counter.households + excluded.households,
    poor = counter.poor + excluded.poor,
    near_poor = counter.near_poor + excluded.near_poor,
    rated = counter.rated + excluded.rated,
    surveys = counter.surveys + excluded.surveys,
    inside = counter.inside + excluded.inside,
    uncertain = counter.uncertain + excluded.uncertain,
    outside = counter.outside + excluded.outside,
    unlocated = counter.unlocated + excluded.unlocated,
    last_survey = greatest(counter.last_survey, excluded.last_survey),
    last_activity = greatest(counter.last_activity, excluded.last_activity)
