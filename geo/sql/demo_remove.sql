-- Takes the demo rows out and tells how many of each there were. Demo households that real
-- surveys or sites stand on are kept: those rows would be lost with them.
WITH gone_survey AS (
    DELETE FROM survey WHERE demo RETURNING province_code, commune_code, survey_id::text AS id
),
gone_site AS (
    DELETE FROM site WHERE demo RETURNING province_code, commune_code, site_code AS id
),
gone AS (
    SELECT 'survey' AS subject, * FROM gone_survey
    UNION ALL
    SELECT 'site', * FROM gone_site
),
gone_finding AS (
    DELETE FROM finding USING gone
     WHERE (finding.province_code, finding.commune_code, finding.subject, finding.subject_id)
         = (gone.province_code, gone.commune_code, gone.subject, gone.id)
    RETURNING 1
),
gone_history AS (
    DELETE FROM verdict_history AS old USING gone
     WHERE (old.province_code, old.commune_code, old.subject, old.subject_id)
         = (gone.province_code, gone.commune_code, gone.subject, gone.id)
    RETURNING 1
),
gone_audit_item AS (DELETE FROM audit_item WHERE demo RETURNING 1),
gone_audit_decision AS (DELETE FROM audit_decision WHERE demo RETURNING 1),
gone_revisit AS (DELETE FROM revisit WHERE demo RETURNING 1),
gone_audit_sample_item AS (DELETE FROM audit_sample_item WHERE demo RETURNING 1),
gone_audit_sample AS (DELETE FROM audit_sample WHERE demo RETURNING 1),
gone_known_place AS (DELETE FROM known_place WHERE demo RETURNING 1),
gone_photo AS (DELETE FROM photo WHERE demo RETURNING 1),
gone_conflict AS (DELETE FROM import_conflict WHERE demo RETURNING 1),
gone_removal AS (DELETE FROM removed_household WHERE demo RETURNING 1),
gone_job AS (DELETE FROM import_job WHERE demo RETURNING 1)
SELECT (SELECT count(*) FROM gone_survey) AS surveys,
       (SELECT count(*) FROM gone_site) AS sites,
       (SELECT count(*) FROM gone_finding) AS findings,
       (SELECT count(*) FROM gone_history) AS old_verdicts,
       (SELECT count(*) FROM gone_conflict) AS conflicts,
       (SELECT count(*) FROM gone_job) AS imports
