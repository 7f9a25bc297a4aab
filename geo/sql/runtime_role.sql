-- The role that the web server works as. It owns nothing and row-level security holds it.
-- It can sign in only where the server needs no password (the private cluster) or was given one.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'ancu_runtime') THEN
        CREATE ROLE ancu_runtime LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS;
    END IF;
    IF EXISTS (
        SELECT FROM pg_roles WHERE rolname = 'ancu_runtime' AND (rolsuper OR rolbypassrls)
    ) THEN
        RAISE insufficient_privilege USING MESSAGE =
            'the role ancu_runtime must be neither superuser nor BYPASSRLS';
    END IF;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN
        NULL; -- Another database of this server is being migrated at this moment and made it.
END
$$;
-- The owner takes this role where the web server has no address of its own (DATABASE_RUNTIME_URL).
DO $$
BEGIN
    IF NOT pg_has_role(current_user, 'ancu_runtime', 'MEMBER') THEN
        EXECUTE format('GRANT ancu_runtime TO %I', current_user);
    END IF;
EXCEPTION
    WHEN insufficient_privilege THEN
        NULL; -- Then that address is needed: taking the role fails with a message that says so.
END
$$
