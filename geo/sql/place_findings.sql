-- Give the findings of communes the cells of their surveys and sites, where they have others: tiles
-- then find what is doubted in them by one index. What the lists give beyond the pairs is right, too.
WITH stands AS (
    SELECT finding.province_code, finding.commune_code, subject, subject_id, survey.cell
    FROM finding
    JOIN survey ON survey.province_code = finding.province_code
        AND survey.commune_code = finding.commune_code
        AND survey_id = CAST(CASE WHEN subject = 'survey' THEN subject_id END AS uuid)
    WHERE finding.province_code = ANY(CAST(:provinces AS text[]))
      AND finding.commune_code = ANY(CAST(:communes AS text[]))
      AND finding.cell IS DISTINCT FROM survey.cell
    UNION
    SELECT finding.province_code, finding.commune_code, subject, subject_id, site.cell
    FROM finding
    JOIN site ON site.province_code = finding.province_code
        AND site.commune_code = finding.commune_code
        AND site_code = subject_id
    WHERE subject = 'site'
      AND finding.province_code = ANY(CAST(:provinces AS text[]))
      AND finding.commune_code = ANY(CAST(:communes AS text[]))
      AND finding.cell IS DISTINCT FROM site.cell
)
UPDATE finding
SET cell = stands.cell
FROM stands
WHERE finding.province_code = stands.province_code
  AND finding.commune_code = stands.commune_code
  AND finding.subject = stands.subject
  AND finding.subject_id = stands.subject_id
