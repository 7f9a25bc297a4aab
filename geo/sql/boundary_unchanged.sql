-- A version of the same bytes and options of which no polygon of the level has been superseded.
SELECT v.version
FROM boundary_version AS v
WHERE v.file_sha256 = :sha256
  AND v.source = :source
  AND v.licence = :licence
  AND v.accuracy_m = :accuracy_m
  AND EXISTS (
      SELECT 1 FROM boundary AS b JOIN area AS a USING (area_id)
      WHERE b.version = v.version AND a.level = :level
  )
  AND NOT EXISTS (
      SELECT 1 FROM boundary AS b JOIN area AS a USING (area_id)
      WHERE b.version = v.version AND a.level = :level AND b.superseded_at IS NOT NULL
  )
