"""Statements that would lead around row-level security, and the SQLSTATE that refuses each."""

REFUSED = "42501"
"""insufficient_privilege"""

FORBIDDEN = {
    "TRUNCATE household": REFUSED,
    "CREATE TABLE public.mine (a int)": REFUSED,
    "CREATE SCHEMA mine": REFUSED,
    "CREATE EXTENSION dblink": REFUSED,
    "CREATE FUNCTION public.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'": REFUSED,
    "CREATE VIEW public.mine AS SELECT * FROM household": REFUSED,
    "CREATE ROLE mine SUPERUSER": REFUSED,
    "DROP TABLE household": REFUSED,
    "DROP POLICY seen ON household": REFUSED,
    "ALTER TABLE household DISABLE ROW LEVEL SECURITY": REFUSED,
    "ALTER TABLE household NO FORCE ROW LEVEL SECURITY": REFUSED,
    "ALTER TABLE household OWNER TO ancu_runtime": REFUSED,
    "ALTER TABLE access_log DISABLE TRIGGER access_log_keep": REFUSED,
    "ALTER ROLE ancu_runtime BYPASSRLS": REFUSED,
    "ALTER DATABASE postgres SET row_security = off": REFUSED,
    "GRANT ancu TO ancu_runtime": REFUSED,
    "SET ROLE ancu": REFUSED,
    "SET SESSION AUTHORIZATION ancu": REFUSED,
    "SET session_replication_role = replica": REFUSED,
    "SELECT * FROM pg_authid": REFUSED,
    "SELECT pg_read_file('/etc/passwd')": REFUSED,
    "COPY household TO PROGRAM 'cat'": REFUSED,
    "COPY household FROM '/etc/passwd'": REFUSED,
    "SELECT lo_import('/etc/passwd')": REFUSED,
    "SELECT setval('account_account_id_seq', 1)": REFUSED,
    "SELECT access_log_chain()": REFUSED,
    "SELECT * FROM alembic_version": REFUSED,
    "LOCK TABLE area IN ACCESS EXCLUSIVE MODE": REFUSED,
    "SELECT ST_EstimatedExtent('household', 'geom')": REFUSED,
    "SELECT ST_EstimatedExtent('public', 'household', 'geom')": REFUSED,
}
