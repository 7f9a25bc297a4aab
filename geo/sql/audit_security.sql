-- Row-level security for the tables of the audit; see row_security.sql for how it works.
DO $$
DECLARE
    everything CONSTANT text := $q$(SELECT current_setting('ancu.all', true)) = 'on'$q$;
    in_scope CONSTANT text := $q$((SELECT current_setting('ancu.all', true)) = 'on'
        OR province_code = ANY ((SELECT string_to_array(current_setting('ancu.provinces', true), ','))::text[])
        OR commune_code = ANY ((SELECT string_to_array(current_setting('ancu.communes', true), ','))::text[]))$q$;
    writing CONSTANT text := $q$(SELECT current_setting('ancu.write', true)) = 'on'$q$;
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY[
        'audit_due', 'audit_item', 'audit_decision', 'revisit', 'audit_sample',
        'audit_sample_item', 'known_place', 'photo', 'address_fix'
    ] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('GRANT SELECT, INSERT ON %I TO ancu_runtime', name);
        EXECUTE format('CREATE POLICY seen ON %I FOR SELECT USING (%s)', name, in_scope);
        EXECUTE format(
            'CREATE POLICY added ON %I FOR INSERT WITH CHECK (%s AND (%s))', name, writing, in_scope
        );
        IF name IN ('audit_due', 'audit_sample', 'audit_decision') THEN
            -- Only the operator's commands take rows away: what the pass has seen, demo data. The
            -- policy lets an owner who is no superuser do it; the runtime role is not granted it.
            EXECUTE format(
                'CREATE POLICY removed ON %I FOR DELETE USING (%s AND (%s))', name, writing, everything
            );
        END IF;
        IF name IN ('audit_due', 'audit_sample') THEN
            CONTINUE; -- only ever added to
        END IF;
        EXECUTE format(
            'CREATE POLICY changed ON %I FOR UPDATE USING (%s AND (%s)) WITH CHECK (%s AND (%s))',
            name, writing, in_scope, writing, in_scope
        );
        IF name = 'audit_decision' THEN
            -- Moves with its household, and forgets what is personal when that is removed.
            GRANT UPDATE (commune_code, subject_id, reason, details)
                ON audit_decision TO ancu_runtime;
            CONTINUE;
        END IF;
        EXECUTE format('GRANT UPDATE ON %I TO ancu_runtime', name);
        IF name = 'address_fix' THEN
            CONTINUE; -- undone, never removed
        END IF;
        EXECUTE format(
            'CREATE POLICY removed ON %I FOR DELETE USING (%s AND (%s))', name, writing, in_scope
        );
        EXECUTE format('GRANT DELETE ON %I TO ancu_runtime', name);
    END LOOP;
END
$$
