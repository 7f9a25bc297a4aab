-- The sites of a province as the audit rules read them; see geo.audit.frames.
SELECT site.province_code, site.commune_code, site.site_code, site.household_code, site.kind,
       site.stage, site.stage_on, site.approved_on, site.due_on, site.received_at,
       site.recorded_address, site.candidates, household.recorded_area_id AS area_id,
       site.as_sent IS NOT NULL AND site.geom IS NOT NULL AS corrected,
       ST_X(site.geom) AS lon, ST_Y(site.geom) AS lat, site.accuracy_m,
       site.verdict, site.probability, site.distance_m, site.accuracy_used_m,
       site.boundary_accuracy_m, site.recorded_code, site.located_code, site.boundary_version,
       site.judged_at, site.content_hash, site.demo,
       household.village, ST_X(household.geom) AS home_lon, ST_Y(household.geom) AS home_lat,
       household.accuracy_m AS home_accuracy_m
  FROM site
  JOIN household USING (province_code, commune_code, household_code)
 WHERE site.province_code = :province_code AND NOT site.removed
 ORDER BY site.commune_code, site.site_code
