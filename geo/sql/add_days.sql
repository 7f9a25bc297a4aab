-- Add surveys to squares of days, told by the single day; in one order for all writers.
INSERT INTO tile_day AS stored (
    province_code, commune_code, square, scale, block,
    inside, uncertain, outside, unlocated,
    inside_flagged, uncertain_flagged, outside_flagged, unlocated_flagged,
    lon_sum, lat_sum
)
SELECT p, c, square, scale, day >> scale,
       sum(inside), sum(uncertain), sum(outside), sum(unlocated),
       sum(inside_flagged), sum(uncertain_flagged),
       sum(outside_flagged), sum(unlocated_flagged),
       sum(lon_sum), sum(lat_sum)
FROM unnest(
    CAST(:provinces AS text[]), CAST(:communes AS text[]), CAST(:squares AS bigint[]),
    CAST(:days AS integer[]),
    CAST(:inside AS integer[]), CAST(:inside_flagged AS integer[]),
    CAST(:uncertain AS integer[]), CAST(:uncertain_flagged AS integer[]),
    CAST(:outside AS integer[]), CAST(:outside_flagged AS integer[]),
    CAST(:unlocated AS integer[]), CAST(:unlocated_flagged AS integer[]),
    CAST(:lon_sum AS float8[]), CAST(:lat_sum AS float8[])
) AS added (
    p, c, square, day,
    inside, inside_flagged, uncertain, uncertain_flagged,
    outside, outside_flagged, unlocated, unlocated_flagged,
    lon_sum, lat_sum
)
CROSS JOIN unnest(CAST(:scales AS integer[])) AS scale
GROUP BY 1, 2, 3, 4, 5
ORDER BY 1, 2, 3, 4, 5
ON CONFLICT (province_code, commune_code, square, scale, block) DO UPDATE
SET inside = stored.inside + excluded.inside,
    uncertain = stored.uncertain + excluded.uncertain,
    outside = stored.outside + excluded.outside,
    unlocated = stored.unlocated + excluded.unlocated,
    inside_flagged = stored.inside_flagged + excluded.inside_flagged,
    uncertain_flagged = stored.uncertain_flagged + excluded.uncertain_flagged,
    outside_flagged = stored.outside_flagged + excluded.outside_flagged,
    unlocated_flagged = stored.unlocated_flagged + excluded.unlocated_flagged,
    lon_sum = stored.lon_sum + excluded.lon_sum,
    lat_sum = stored.lat_sum + excluded.lat_sum
