-- Every known point of a commune, present or former, with the present commune it now belongs to.
-- A former commune that was divided goes to the successor whose own point is nearest.
SELECT lon, lat, code, name, province_code
FROM area
WHERE level = 'commune' AND valid_to IS NULL AND lon IS NOT NULL
UNION ALL
SELECT lon, lat, code, name, province_code
FROM (
    SELECT DISTINCT ON (old.area_id)
           old.lon, old.lat, new.code, new.name, new.province_code
    FROM area AS old
    JOIN area_successor ON old_area_id = old.area_id
    JOIN area AS new ON new_area_id = new.area_id
    WHERE old.valid_to IS NOT NULL AND new.valid_to IS NULL AND new.level = 'commune'
      AND old.lon IS NOT NULL AND new.lon IS NOT NULL
    ORDER BY old.area_id, power(new.lon - old.lon, 2) + power(new.lat - old.lat, 2), new.code
) AS followed
ORDER BY code, lon, lat
