-- What the rights of who comes with a session or token rest on, as one text; NULL where it is over.
--
-- geo.accounts.passes asks it at every request. A function because its plan is then made once a
-- connection, also behind a pooler that knows no prepared statements. It runs with the caller's rights:
-- row-level security shows the rows to whoever names them by their secret's hash (session, token: hex,
-- one of them ''), and what it named it takes back.
CREATE FUNCTION account_grounds(
    session text, token text, whose bigint, own text, idle interval, moment timestamptz
) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    told text;
BEGIN
    PERFORM set_config('ancu.session', session, true), set_config('ancu.token', token, true),
            set_config('ancu.account', whose::text, true);
    SELECT concat_ws(
        E'\x1f', account.login, account.full_name, account.province_code, account.commune_code,
        account.must_change_password, account.totp_confirmed_at IS NULL, opened.limits,
        (
            -- A role counts while its area exists; see geo.accounts.held.
            SELECT string_agg(
                concat_ws(E'\x1e', held.role, held.area_code, held.province_code, held.commune_code,
                          held.granted_at, present.area_id),
                E'\x1d' ORDER BY held.role, held.area_code
            )
            FROM public.account_role AS held
            LEFT JOIN public.area AS present
                ON present.code = held.area_code AND present.valid_to IS NULL
            WHERE held.account_id = whose
        )
    )
    INTO told
    FROM (
        SELECT account_id, '' AS limits
        FROM public.login_session
        WHERE session <> '' AND session_hash = decode(session, 'hex')
          AND expires_at > moment AND last_seen_at > moment - idle
        UNION ALL
        SELECT account_id, array_to_string(actions, ',')
        FROM public.token AS given
        WHERE account_grounds.token <> '' AND token_hash = decode(account_grounds.token, 'hex')
          AND revoked_at IS NULL AND given.expires_at > moment
    ) AS opened
    JOIN public.account USING (account_id)
    WHERE account.account_id = whose AND account.disabled_at IS NULL;
    PERFORM set_config('ancu.session', '', true), set_config('ancu.token', '', true),
            set_config('ancu.account', own, true);
    RETURN told;
END
$$;

REVOKE ALL ON FUNCTION account_grounds(text, text, bigint, text, interval, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION account_grounds(text, text, bigint, text, interval, timestamptz)
    TO ancu_runtime;
