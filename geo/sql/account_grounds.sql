-- What the rights of who comes with a session or token rest on, as one text; NULL where it is over.
-- Row-level security shows the rows to whoever names them by their secret's hash; the names are taken
-- back in the same statement, after its first column is found.
SELECT set_config('ancu.session', :session, true), set_config('ancu.token', :token, true),
       set_config('ancu.account', :account, true);
SELECT (
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
            FROM account_role AS held
            LEFT JOIN area AS present ON present.code = held.area_code AND present.valid_to IS NULL
            WHERE held.account_id = account.account_id
        )
    )
    FROM (
        SELECT account_id, '' AS limits
        FROM login_session
        WHERE session_hash = decode(:session, 'hex') AND :session <> ''
          AND expires_at > :now AND last_seen_at > :now - make_interval(mins => :idle_minutes)
        UNION ALL
        SELECT account_id, array_to_string(actions, ',')
        FROM token
        WHERE token_hash = decode(:token, 'hex') AND :token <> ''
          AND revoked_at IS NULL AND expires_at > :now
    ) AS opened
    JOIN account USING (account_id)
    WHERE account.account_id = CAST(:account AS bigint) AND account.disabled_at IS NULL
) AS grounds,
    set_config('ancu.session', '', true), set_config('ancu.token', '', true),
    set_config('ancu.account', :own, true)
