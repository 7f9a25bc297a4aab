-- Add records to squares, told at the finest level; in one order for all writers.
INSERT INTO tile_square AS stored (
    province_code, commune_code, layer, level, square, class, records, flagged, lon_sum, lat_sum
)
SELECT p, c, layer, level, square >> 2 * (CAST(:finest AS integer) - level), class,
       sum(records), sum(flagged), sum(lon), sum(lat)
FROM unnest(
    CAST(:provinces AS text[]), CAST(:communes AS text[]), CAST(:layers AS text[]),
    CAST(:squares AS bigint[]), CAST(:classes AS text[]), CAST(:records AS integer[]),
    CAST(:flagged AS integer[]), CAST(:lon AS float8[]), CAST(:lat AS float8[])
) AS added (p, c, layer, square, class, records, flagged, lon, lat)
CROSS JOIN unnest(CAST(:levels AS integer[])) AS level
GROUP BY 1, 2, 3, 4, 5, 6
ORDER BY 1, 2, 3, 4, 5, 6
ON CONFLICT (province_code, commune_code, layer, level, square, class) DO UPDATE
SET records = stored.records + excluded.records,
    flagged = stored.flagged + excluded.flagged,
    lon_sum = stored.lon_sum + excluded.lon_sum,
    lat_sum = stored.lat_sum + excluded.lat_sum
