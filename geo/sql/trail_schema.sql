-- The access log's chain: every entry carries the hash of the one before, and none is changed.
--
-- The database itself numbers, dates and hashes each entry, whatever the client sent for these
-- columns. geo.trail computes the same hash in Python: change both together.
CREATE FUNCTION access_log_chain() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    before CONSTANT text := coalesce(current_setting('ancu.all', true), '');
    last record;
    about record;
    visit uuid;
    told text;
BEGIN
    -- Row-level security would otherwise hide the last entry from an owner it holds. Not as a SET of
    -- the function: that asks for a superuser. An error takes it back with the transaction.
    PERFORM set_config('ancu.all', 'on', true);
    -- Who tries what is refused or not there names no commune, or names the wrong one: where exactly
    -- one such record exists, the entry is about its area, so that its own administrators see it.
    IF NEW.outcome <> 'allowed' AND NEW.subject IN ('household', 'site', 'survey') THEN
        IF NEW.subject_id ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN
            visit := NEW.subject_id::uuid;
        END IF;
        SELECT count(*) AS many, min(province_code) AS province, min(commune_code) AS commune
        INTO about
        FROM (
            SELECT province_code, commune_code FROM public.household
            WHERE NEW.subject = 'household' AND household_code = NEW.subject_id
            AND NEW.province_code IN ('', province_code)
            UNION ALL
            SELECT province_code, commune_code FROM public.site
            WHERE NEW.subject = 'site' AND site_code = NEW.subject_id
            AND NEW.province_code IN ('', province_code)
            UNION ALL
            SELECT province_code, commune_code FROM public.survey
            WHERE NEW.subject = 'survey' AND survey_id = visit
        ) AS known;
        IF about.many = 1 THEN
            NEW.province_code := about.province;
            NEW.commune_code := about.commune;
        END IF;
    END IF;
    -- Held until the commit, so that entries become visible in the order of their numbers.
    PERFORM pg_advisory_xact_lock(hashtext('ancu.access_log'));
    SELECT entry_id, hash INTO last FROM public.access_log ORDER BY entry_id DESC LIMIT 1;
    NEW.entry_id := coalesce(last.entry_id, 0) + 1;
    NEW.at := clock_timestamp();
    NEW.previous_hash := coalesce(last.hash, decode(repeat('00', 32), 'hex'));
    -- Each field as its length in bytes, a colon and itself, or '-' when it is unknown: no two
    -- different entries give the same text.
    SELECT string_agg(coalesce(octet_length(convert_to(field, 'UTF8')) || ':' || field, '-'), ''
                      ORDER BY place)
    INTO told
    FROM unnest(ARRAY[
        NEW.entry_id::text, (extract(epoch FROM NEW.at) * 1000000)::bigint::text,
        NEW.account_id::text, NEW.login, NEW.via, NEW.address, NEW.action, NEW.route,
        NEW.subject, NEW.subject_id, NEW.province_code, NEW.commune_code, NEW.query,
        NEW.rows::text, NEW.outcome, NEW.reason
    ]) WITH ORDINALITY AS fields (field, place);
    NEW.hash := sha256(NEW.previous_hash || convert_to(told, 'UTF8'));
    PERFORM set_config('ancu.all', before, true);
    RETURN NEW;
END
$$;

CREATE FUNCTION access_log_keep() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RAISE insufficient_privilege USING MESSAGE = 'entries of the access log are never changed';
END
$$;

REVOKE ALL ON FUNCTION access_log_chain(), access_log_keep() FROM PUBLIC;

CREATE TRIGGER access_log_chain BEFORE INSERT ON access_log
    FOR EACH ROW EXECUTE FUNCTION access_log_chain();
CREATE TRIGGER access_log_keep BEFORE DELETE OR UPDATE OR TRUNCATE ON access_log
    FOR EACH STATEMENT EXECUTE FUNCTION access_log_keep();
-- Also in a session that plays a replica, where ordinary triggers rest.
ALTER TABLE access_log ENABLE ALWAYS TRIGGER access_log_chain;
ALTER TABLE access_log ENABLE ALWAYS TRIGGER access_log_keep;
