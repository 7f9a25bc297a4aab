-- Each survey and site of a province that has findings, with what the auditors' queue shows of it.
WITH one AS (
    SELECT *, bool_or(state = 'open' AND NOT blameless) OVER (
               PARTITION BY commune_code, subject, subject_id
           ) AS open
      FROM finding
     WHERE province_code = :province_code
), doubted AS (
    SELECT commune_code, subject, subject_id, open,
           array_agg(rule ORDER BY rule) AS rules,
           -- Of one that is open again, what was explained or repaired weighs no more.
           coalesce(array_agg(rule ORDER BY rule) FILTER (
               WHERE NOT blameless AND NOT (open AND state IN ('explained', 'repaired'))
           ), '{}') AS counted,
           coalesce(array_agg(DISTINCT group_key) FILTER (WHERE group_key IS NOT NULL), '{}')
               AS groups
      FROM one
     GROUP BY commune_code, subject, subject_id, open
), decided AS (
    SELECT DISTINCT ON (commune_code, subject, subject_id)
           commune_code, subject, subject_id, decision
      FROM audit_decision
     WHERE province_code = :province_code
     ORDER BY commune_code, subject, subject_id, decision_id DESC
), told AS (
    SELECT commune_code, 'survey' AS subject, survey_id::text AS subject_id, household_code,
           enumerator, device_id, surveyed_at AS happened_at, verdict, distance_m, demo
      FROM survey WHERE province_code = :province_code AND NOT removed
    UNION ALL
    SELECT commune_code, 'site', site_code, household_code, NULL, NULL,
           stage_on::timestamp AT TIME ZONE 'Asia/Ho_Chi_Minh', verdict, distance_m, demo
      FROM site WHERE province_code = :province_code AND NOT removed
)
SELECT doubted.*, told.household_code, told.enumerator, told.device_id, told.happened_at,
       told.verdict, told.distance_m, told.demo,
       CASE WHEN doubted.open OR decided.decision IS NULL OR decided.decision = 'reopened'
            THEN 'open' ELSE decided.decision END AS state
  FROM doubted
  JOIN told USING (commune_code, subject, subject_id)
  LEFT JOIN decided USING (commune_code, subject, subject_id)
 ORDER BY commune_code, subject, subject_id
