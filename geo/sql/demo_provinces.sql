SELECT area.province_code, count(*) AS communes
  FROM area JOIN boundary USING (area_id)
 WHERE area.level = 'commune' AND area.valid_to IS NULL AND boundary.superseded_at IS NULL
 GROUP BY area.province_code
 ORDER BY communes DESC, area.province_code
