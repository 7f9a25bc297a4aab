-- Changes whenever a current polygon of a commune does.
SELECT string_agg(DISTINCT CAST(b.version AS text), ','), count(*), max(v.loaded_at)
FROM boundary AS b
JOIN area AS a USING (area_id)
JOIN boundary_version AS v USING (version)
WHERE b.superseded_at IS NULL AND a.valid_to IS NULL AND a.level = 'commune'
