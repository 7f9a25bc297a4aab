-- Changes whenever a current polygon of a commune does: each load of boundaries is a version, and
-- nothing else changes polygons, or the areas that have some.
SELECT max(version), count(*), max(loaded_at)
FROM boundary_version
