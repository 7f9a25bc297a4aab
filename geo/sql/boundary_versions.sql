-- Every version with the number of its polygons by level, those still current, and their provinces.
SELECT v.version, v.source, v.licence, v.accuracy_m, v.sketch, v.file_name, v.loaded_at,
       count(*) FILTER (WHERE a.level = 'commune') AS communes,
       count(*) FILTER (WHERE a.level = 'commune' AND b.superseded_at IS NULL) AS current_communes,
       count(*) FILTER (WHERE b.repaired IS NOT NULL) AS repaired,
       coalesce(
           array_agg(DISTINCT a.province_code ORDER BY a.province_code) FILTER (
               WHERE a.province_code IS NOT NULL AND b.superseded_at IS NULL
           ),
           '{}'
       ) AS provinces
FROM boundary_version AS v
LEFT JOIN boundary AS b USING (version)
LEFT JOIN area AS a USING (area_id)
GROUP BY v.version
ORDER BY v.version DESC
