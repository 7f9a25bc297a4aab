-- Areas of one level in one tile: polygons, and the name of each area in the one tile that holds it.
-- From the drawings, or (full) from the boundaries themselves, which are cut off first: some have
-- 10,000s of corners.
WITH found AS (
    SELECT a.code, a.level, a.name, s.geom, s.label, s.cell
    FROM area_shape AS s
    JOIN area AS a USING (area_id)
    WHERE NOT :full
      AND s.resolution = :resolution
      AND s.geom && ST_MakeEnvelope(:west, :south, :east, :north, 4326)
      AND a.level = :level
      AND a.valid_to IS NULL
      AND (:within = '' OR a.code = :within OR a.province_code = :within)
    UNION ALL
    SELECT a.code, a.level, a.name,
           ST_ClipByBox2D(b.geom, ST_MakeEnvelope(:west, :south, :east, :north, 4326)),
           s.label, s.cell
    FROM boundary AS b
    JOIN area AS a USING (area_id)
    JOIN area_shape AS s USING (area_id)
    WHERE :full
      AND b.superseded_at IS NULL
      AND b.geom && ST_MakeEnvelope(:west, :south, :east, :north, 4326)
      AND s.resolution = :resolution
      AND a.level = :level
      AND a.valid_to IS NULL
      AND (:within = '' OR a.code = :within OR a.province_code = :within)
),
shapes AS (
    SELECT ST_AsMVTGeom(
               ST_Transform(geom, 3857), ST_TileEnvelope(:z, :x, :y), :extent, :buffer, true
           ) AS geom, code, level
    FROM found
),
labels AS (
    SELECT ST_AsMVTGeom(
               ST_Transform(label, 3857), ST_TileEnvelope(:z, :x, :y), :extent, 0, false
           ) AS geom, code, level, name
    FROM found
    WHERE cell >= :first AND cell < :behind
)
SELECT (SELECT ST_AsMVT(shapes, 'areas', :extent, 'geom') FROM shapes WHERE geom IS NOT NULL)
    || (SELECT ST_AsMVT(labels, 'area_labels', :extent, 'geom') FROM labels)
