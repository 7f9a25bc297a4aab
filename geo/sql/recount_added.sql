-- Count on rows that were added to communes; needs the locks of their counters. What depends on a
-- household's other surveys follows in recount_visited.sql.
UPDATE commune_counter AS counter
SET households = counter.households + added.households,
    poor = counter.poor + added.poor,
    near_poor = counter.near_poor + added.near_poor,
    rated = counter.rated + added.rated,
    surveys = counter.surveys + added.surveys,
    inside = counter.inside + added.inside,
    uncertain = counter.uncertain + added.uncertain,
    outside = counter.outside + added.outside,
    unlocated = counter.unlocated + added.unlocated,
    last_survey = greatest(counter.last_survey, added.last),
    last_activity = greatest(counter.last_activity, added.last)
FROM unnest(
    CAST(:provinces AS text[]), CAST(:communes AS text[]), CAST(:households AS integer[]),
    CAST(:poor AS integer[]), CAST(:near_poor AS integer[]), CAST(:rated AS integer[]),
    CAST(:surveys AS integer[]), CAST(:inside AS integer[]), CAST(:uncertain AS integer[]),
    CAST(:outside AS integer[]), CAST(:unlocated AS integer[]), CAST(:last AS timestamptz[])
) AS added (
    p, c, households, poor, near_poor, rated, surveys, inside, uncertain, outside, unlocated, last
)
WHERE counter.province_code = p AND counter.commune_code = c
