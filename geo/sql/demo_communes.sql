-- The present communes of the provinces with the units of their names, the province last, and
-- the former communes they were made of, each as [[kind, name], …] with its known point.
SELECT commune.code, commune.province_code, coalesce(commune.urban, false) AS urban,
       commune.lon, commune.lat,
       jsonb_build_array(jsonb_build_array(commune.kind, commune.name),
                         jsonb_build_array(province.kind, province.name)) AS parts,
       coalesce((
           SELECT jsonb_agg(jsonb_build_object(
                      'lon', old.lon, 'lat', old.lat,
                      'parts', jsonb_build_array(
                          jsonb_build_array(old.kind, old.name),
                          jsonb_build_array(district.kind, district.name),
                          jsonb_build_array(old_province.kind, old_province.name)))
                  ORDER BY old.code)
             FROM area_successor AS step
             JOIN area AS old ON old.area_id = step.old_area_id AND old.level = 'commune'
             JOIN area AS district
               ON district.level = 'district' AND district.code = old.parent_code
             JOIN area AS old_province
               ON old_province.level = 'province' AND old_province.code = old.province_code
              AND old_province.valid_to IS NOT NULL
            WHERE step.new_area_id = commune.area_id AND old.lon IS NOT NULL
       ), '[]') AS former
  FROM area AS commune
  JOIN area AS province
    ON province.level = 'province' AND province.code = commune.province_code
   AND province.valid_to IS NULL
 WHERE commune.level = 'commune' AND commune.valid_to IS NULL AND commune.lon IS NOT NULL
   AND commune.province_code = ANY (:provinces)
 ORDER BY commune.code
