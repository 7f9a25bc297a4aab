-- Every unit below the country with its parents of the same era and the present units it
-- became: itself when present, else its successors' successors down to today.
WITH RECURSIVE lead (area_id, reached) AS (
    SELECT area_id, area_id FROM area
    UNION
    SELECT lead.area_id, next.new_area_id
      FROM lead JOIN area_successor AS next ON next.old_area_id = lead.reached
),
today AS (
    SELECT lead.area_id, array_agg(unit.area_id ORDER BY unit.code) AS present_ids
      FROM lead JOIN area AS unit ON unit.area_id = lead.reached AND unit.valid_to IS NULL
     GROUP BY lead.area_id
)
SELECT unit.area_id, unit.code, unit.level, unit.name, unit.full_name, unit.kind,
       unit.valid_to IS NULL AS present,
       district.area_id AS district_id,
       coalesce(province.area_id, last_province.area_id) AS province_id,
       coalesce(today.present_ids, '{}') AS present_ids
  FROM area AS unit
  LEFT JOIN today ON today.area_id = unit.area_id
  LEFT JOIN area AS district
    ON unit.level = 'commune' AND district.level = 'district'
   AND district.code = unit.parent_code
   AND (district.valid_to IS NULL) = (unit.valid_to IS NULL)
  LEFT JOIN area AS province
    ON unit.level <> 'province' AND province.level = 'province'
   AND province.code = unit.province_code
   AND (province.valid_to IS NULL) = (unit.valid_to IS NULL)
  -- A commune that ended after its province's last change has only the present province.
  LEFT JOIN area AS last_province
    ON unit.level <> 'province' AND province.area_id IS NULL
   AND last_province.level = 'province'
   AND last_province.code = unit.province_code AND last_province.valid_to IS NULL
 WHERE unit.level <> 'country'
 ORDER BY unit.area_id
