-- Add records to squares of choices, told by the single day, NULL for today at UTC+7; in one order for
-- all writers.
INSERT INTO tile_choice AS stored (
    province_code, commune_code, layer, scale, block, square, rule, class, verdict, state,
    records, flagged, held, lon_sum, lat_sum
)
SELECT p, c, layer, scale,
       coalesce(day, (now() AT TIME ZONE INTERVAL '7 hours')::date - DATE '1970-01-01') >> scale,
       square, rule, class, verdict, state,
       sum(records), sum(flagged), sum(held), sum(lon), sum(lat)
FROM unnest(
    CAST(:provinces AS text[]), CAST(:communes AS text[]), CAST(:layers AS text[]),
    CAST(:days AS integer[]), CAST(:squares AS bigint[]), CAST(:rules AS text[]),
    CAST(:classes AS text[]), CAST(:verdicts AS text[]), CAST(:states AS text[]),
    CAST(:records AS integer[]), CAST(:flagged AS integer[]), CAST(:held AS integer[]),
    CAST(:lon AS float8[]), CAST(:lat AS float8[])
) AS added (
    p, c, layer, day, square, rule, class, verdict, state, records, flagged, held, lon, lat
)
CROSS JOIN unnest(CAST(:scales AS integer[])) AS scale
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
ON CONFLICT (province_code, commune_code, layer, scale, block, square, rule, class, verdict, state)
DO UPDATE
SET records = stored.records + excluded.records,
    flagged = stored.flagged + excluded.flagged,
    held = stored.held + excluded.held,
    lon_sum = stored.lon_sum + excluded.lon_sum,
    lat_sum = stored.lat_sum + excluded.lat_sum
