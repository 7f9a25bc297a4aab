-- Row-level security for the squares of tiles; see row_security.sql for how it works. Unlike the
-- counters they are shown to nobody outside the areas: a square may hold a single household.
DO $$
DECLARE
    in_scope CONSTANT text := $q$((SELECT current_setting('ancu.all', true)) = 'on'
        OR province_code = ANY ((SELECT string_to_array(current_setting('ancu.provinces', true), ','))::text[])
        OR commune_code = ANY ((SELECT string_to_array(current_setting('ancu.communes', true), ','))::text[]))$q$;
    writing CONSTANT text := $q$(SELECT current_setting('ancu.write', true)) = 'on'$q$;
    changed CONSTANT text := format('%s AND (%s)', writing, in_scope);
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['tile_square', 'tile_day', 'tile_choice'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO ancu_runtime', name);
        EXECUTE format('CREATE POLICY seen ON %I FOR SELECT USING (%s)', name, in_scope);
        EXECUTE format('CREATE POLICY added ON %I FOR INSERT WITH CHECK (%s)', name, changed);
        EXECUTE format(
            'CREATE POLICY changed ON %I FOR UPDATE USING (%s) WITH CHECK (%s)',
            name, changed, changed
        );
        EXECUTE format('CREATE POLICY removed ON %I FOR DELETE USING (%s)', name, changed);
    END LOOP;
END
$$
