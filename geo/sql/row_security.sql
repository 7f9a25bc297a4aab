-- The second net: what the role of the web server sees and changes, whatever a query forgets.
--
-- A transaction says for whom it works by settings that end with it (geo.scope.bind). Without
-- them nothing is visible. Every setting is read once a statement, by a sub-select. Comparisons of
-- text and integers are leakproof: PostgreSQL still uses the indexes of province, commune and cell.
-- FORCE: an owner who is no superuser is held as well, and says so by ancu.all.
DO $$
DECLARE
    everything CONSTANT text := $q$(SELECT current_setting('ancu.all', true)) = 'on'$q$;
    in_scope CONSTANT text := format($q$(%s
        OR province_code = ANY ((SELECT string_to_array(current_setting('ancu.provinces', true), ','))::text[])
        OR commune_code = ANY ((SELECT string_to_array(current_setting('ancu.communes', true), ','))::text[]))$q$,
        everything);
    writing CONSTANT text := $q$(SELECT current_setting('ancu.write', true)) = 'on'$q$;
    me CONSTANT text := $q$(SELECT nullif(current_setting('ancu.account', true), '')::bigint)$q$;
    managing CONSTANT text := format($q$(%s
        OR ((SELECT current_setting('ancu.action', true)) IN ('accounts.manage', 'log.read') AND %s))$q$,
        everything, in_scope);
    figures CONSTANT text := $q$(SELECT current_setting('ancu.figures', true)) = 'all'$q$;
    by_login CONSTANT text := $q$login = (SELECT current_setting('ancu.login', true))$q$;
    by_session CONSTANT text := $q$session_hash = (SELECT decode(current_setting('ancu.session', true), 'hex'))$q$;
    by_token CONSTANT text := $q$token_hash = (SELECT decode(current_setting('ancu.token', true), 'hex'))$q$;
    visible_account CONSTANT text := $q$EXISTS (
        SELECT FROM account AS whose WHERE whose.account_id = %I.account_id AND $q$ || managing || ')';
    -- Who asks what is stored of a household may know who looked at it.
    told_to_persons CONSTANT text := format($q$((SELECT current_setting('ancu.action', true)) = 'person.export'
        AND subject IN ('household', 'survey', 'site') AND %s)$q$, in_scope);
    seen text;
    changed text;
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY[
        'household', 'household_status', 'survey', 'site', 'site_stage', 'finding',
        'verdict_history', 'import_conflict', 'import_job', 'commune_counter', 'site_due',
        'record_change', 'removed_household', 'account', 'account_role', 'handover', 'login_session', 'token', 'team',
        'team_member', 'access_log'
    ] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('GRANT SELECT, INSERT ON %I TO ancu_runtime', name);
        seen := CASE name
            WHEN 'commune_counter' THEN format('%s OR %s', figures, in_scope)
            WHEN 'site_due' THEN format('%s OR %s', figures, in_scope)
            -- One's own only where they are of no single area: others go with the role there.
            WHEN 'import_job' THEN
                format($q$(account_id = %s AND province_code = '') OR %s$q$, me, in_scope)
            WHEN 'account' THEN format('%s OR account_id = %s OR %s', by_login, me, managing)
            WHEN 'account_role' THEN
                format('account_id = %s OR %s OR %s', me, managing, format(visible_account, name))
            WHEN 'handover' THEN
                format('from_account_id = %s OR to_account_id = %s OR %s', me, me, managing)
            WHEN 'login_session' THEN
                format('%s OR account_id = %s OR %s', by_session, me, format(visible_account, name))
            WHEN 'token' THEN
                format('%s OR account_id = %s OR %s', by_token, me, format(visible_account, name))
            WHEN 'team' THEN managing
            WHEN 'team_member' THEN
                'EXISTS (SELECT FROM team WHERE team.team_id = team_member.team_id)'
            -- What concerns the area, and whatever its own accounts did elsewhere.
            WHEN 'access_log' THEN
                format('%s OR account_id = ANY (ARRAY(SELECT account_id FROM account WHERE %s)) OR %s',
                       managing, managing, told_to_persons)
            ELSE in_scope
        END;
        changed := CASE name
            -- Nobody gives rights to himself; giving them up is another matter (see below).
            WHEN 'account_role' THEN format('%s AND account_id IS DISTINCT FROM %s', managing, me)
            WHEN 'handover' THEN managing
            WHEN 'commune_counter' THEN in_scope
            WHEN 'site_due' THEN in_scope
            ELSE seen
        END;
        EXECUTE format('CREATE POLICY seen ON %I FOR SELECT USING (%s)', name, seen);
        IF name = 'access_log' THEN
            -- Whoever does something leaves an entry; its number and hashes are the trigger's.
            CREATE POLICY added ON access_log FOR INSERT WITH CHECK (true);
            CONTINUE;
        END IF;
        EXECUTE format(
            'CREATE POLICY added ON %I FOR INSERT WITH CHECK (%s AND (%s))', name, writing,
            CASE name WHEN 'account' THEN managing ELSE changed END
        );
        IF name = 'removed_household' THEN
            -- Of demo data, by the operator, who may be no superuser; granted to nobody.
            EXECUTE format(
                'CREATE POLICY removed ON %I FOR DELETE USING (%s AND (%s))', name, writing, everything
            );
        END IF;
        IF name IN ('removed_household', 'handover') THEN
            CONTINUE; -- only ever added to
        END IF;
        EXECUTE format(
            'CREATE POLICY changed ON %I FOR UPDATE USING (%s AND (%s)) WITH CHECK (%s AND (%s))',
            name, writing, changed, writing, changed
        );
        IF name = 'record_change' THEN
            -- Moves with its household, and forgets values when that is removed; who changed which
            -- field when stays.
            GRANT UPDATE (commune_code, subject_id, old_value, new_value, reason)
                ON record_change TO ancu_runtime;
            CONTINUE;
        END IF;
        EXECUTE format('GRANT UPDATE ON %I TO ancu_runtime', name);
        IF name IN ('account', 'import_job') THEN
            CONTINUE; -- never removed
        END IF;
        EXECUTE format(
            'CREATE POLICY removed ON %I FOR DELETE USING (%s AND (%s))', name, writing,
            CASE name WHEN 'account_role' THEN managing ELSE changed END
        );
        EXECUTE format('GRANT DELETE ON %I TO ancu_runtime', name);
    END LOOP;
    -- Public to everyone who is signed in: names and borders of areas, nobody's data.
    FOREACH name IN ARRAY ARRAY[
        'area', 'area_successor', 'boundary', 'boundary_version', 'key_check'
    ] LOOP
        EXECUTE format('GRANT SELECT ON %I TO ancu_runtime', name);
    END LOOP;
    -- It runs with its owner's rights, and would tell between which degrees all households stand.
    FOR name IN SELECT oid::regprocedure FROM pg_proc WHERE proname = 'st_estimatedextent' LOOP
        BEGIN
            EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', name);
        EXCEPTION
            WHEN insufficient_privilege THEN -- PostGIS belongs to somebody else
                RAISE WARNING 'ask for: REVOKE EXECUTE ON FUNCTION % FROM PUBLIC', name;
        END;
    END LOOP;
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO ancu_runtime', current_schema());
    EXECUTE format('REVOKE CREATE ON SCHEMA %I FROM ancu_runtime', current_schema());
END
$$
