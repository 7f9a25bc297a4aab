-- Row-level security for the squares of tiles; see row_security.sql for how it works. Unlike the
-- counters they are shown to nobody outside the areas: a square may hold a single household.
DO $$
DECLARE
    in_scope CONSTANT text := $q$((SELECT current_setting('ancu.all', true)) = 'on'
        OR province_code = ANY ((SELECT string_to_array(current_setting('ancu.provinces', true), ','))::text[])
        OR commune_code = ANY ((SELECT string_to_array(current_setting('ancu.communes', true), ','))::text[]))$q$;
    writing CONSTANT text := $q$(SELECT current_setting('ancu.write', true)) = 'on'$q$;
    changed CONSTANT text := format('%s AND (%s)', writing, in_scope);
BEGIN
    ALTER TABLE tile_square ENABLE ROW LEVEL SECURITY;
    ALTER TABLE tile_square FORCE ROW LEVEL SECURITY;
    GRANT SELECT, INSERT, UPDATE, DELETE ON tile_square TO ancu_runtime;
    EXECUTE format('CREATE POLICY seen ON tile_square FOR SELECT USING (%s)', in_scope);
    EXECUTE format('CREATE POLICY added ON tile_square FOR INSERT WITH CHECK (%s)', changed);
    EXECUTE format(
        'CREATE POLICY changed ON tile_square FOR UPDATE USING (%s) WITH CHECK (%s)', changed, changed
    );
    EXECUTE format('CREATE POLICY removed ON tile_square FOR DELETE USING (%s)', changed);
END
$$
