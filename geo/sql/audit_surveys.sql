-- The surveys of a province as the audit rules read them; see geo.audit.frames.
SELECT survey.province_code, survey.commune_code, survey.survey_id::text AS survey_id,
       survey.household_code, household.recorded_area_id AS area_id,
       survey.surveyed_at, survey.sent_at, survey.received_at, survey.enumerator, survey.device_id,
       survey.mock_location, survey.altitude_m, survey.satellites, survey.crs, survey.photo,
       survey.recorded_address, survey.candidates,
       ST_X(survey.geom) AS lon, ST_Y(survey.geom) AS lat, survey.accuracy_m,
       (survey.as_sent ->> 'lon')::double precision AS sent_lon,
       (survey.as_sent ->> 'lat')::double precision AS sent_lat,
       survey.as_sent IS NOT NULL AND survey.geom IS NOT NULL AS corrected,
       survey.verdict, survey.probability, survey.distance_m, survey.accuracy_used_m,
       survey.boundary_accuracy_m, survey.recorded_code, survey.located_code,
       survey.boundary_version, survey.judged_at, survey.content_hash, survey.demo,
       household.village, ST_X(household.geom) AS home_lon, ST_Y(household.geom) AS home_lat,
       household.accuracy_m AS home_accuracy_m,
       house.site_code, house.lon AS site_lon, house.lat AS site_lat,
       house.accuracy_m AS site_accuracy_m
  FROM survey
  JOIN household USING (province_code, commune_code, household_code)
  LEFT JOIN (
        SELECT DISTINCT ON (province_code, commune_code, household_code)
               province_code, commune_code, household_code, site_code,
               ST_X(geom) AS lon, ST_Y(geom) AS lat, accuracy_m
          FROM site
         WHERE province_code = :province_code AND geom IS NOT NULL AND NOT removed
         ORDER BY province_code, commune_code, household_code, site_code
       ) AS house USING (province_code, commune_code, household_code)
 WHERE survey.province_code = :province_code AND NOT survey.removed
 ORDER BY survey.commune_code, survey.survey_id
