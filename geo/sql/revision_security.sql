-- Row-level security for the revisions of communes: read with the counters that they stand for, see
-- row_security.sql, and never taken back.
DO $$
DECLARE
    in_scope CONSTANT text := $q$((SELECT current_setting('ancu.all', true)) = 'on'
        OR province_code = ANY ((SELECT string_to_array(current_setting('ancu.provinces', true), ','))::text[])
        OR commune_code = ANY ((SELECT string_to_array(current_setting('ancu.communes', true), ','))::text[]))$q$;
    figures CONSTANT text := $q$(SELECT current_setting('ancu.figures', true)) = 'all'$q$;
    changed CONSTANT text :=
        format($q$(SELECT current_setting('ancu.write', true)) = 'on' AND (%s)$q$, in_scope);
BEGIN
    ALTER TABLE commune_revision ENABLE ROW LEVEL SECURITY;
    ALTER TABLE commune_revision FORCE ROW LEVEL SECURITY;
    GRANT SELECT, INSERT, UPDATE ON commune_revision TO ancu_runtime;
    EXECUTE format('CREATE POLICY seen ON commune_revision FOR SELECT USING (%s OR %s)', figures, in_scope);
    EXECUTE format('CREATE POLICY added ON commune_revision FOR INSERT WITH CHECK (%s)', changed);
    EXECUTE format(
        'CREATE POLICY changed ON commune_revision FOR UPDATE USING (%s) WITH CHECK (%s)', changed, changed
    );
END
$$
