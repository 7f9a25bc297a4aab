-- Surveys or sites of a province whose verdict was better before boundaries changed, and which
-- nothing but boundaries changed since: see geo.audit.changes.
WITH former AS (
    SELECT commune_code, subject_id, verdict, replaced_at,
           -- false from the last change for another reason on, back in time
           bool_and(reason = 'boundary') OVER (
               PARTITION BY commune_code, subject_id ORDER BY replaced_at DESC
           ) AS boundaries_only
      FROM verdict_history
     WHERE province_code = :province_code AND subject = :subject
), first AS (
    SELECT DISTINCT ON (commune_code, subject_id) commune_code, subject_id, verdict
      FROM former
     WHERE boundaries_only
     ORDER BY commune_code, subject_id, replaced_at
), present AS (
    SELECT commune_code, survey_id::text AS subject_id, verdict
      FROM survey WHERE province_code = :province_code AND :subject = 'survey'
    UNION ALL
    SELECT commune_code, site_code, verdict
      FROM site WHERE province_code = :province_code AND :subject = 'site'
)
SELECT commune_code, subject_id
  FROM first JOIN present USING (commune_code, subject_id)
 WHERE array_position(ARRAY['inside', 'uncertain', 'outside'], present.verdict)
     > array_position(ARRAY['inside', 'uncertain', 'outside'], first.verdict)
