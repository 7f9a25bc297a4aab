-- Takes back what row_security.sql and trail_schema.sql made, but for tables.
DO $$
DECLARE
    one record;
BEGIN
    FOR one IN SELECT policyname, tablename FROM pg_policies WHERE schemaname = current_schema() LOOP
        EXECUTE format('DROP POLICY %I ON %I', one.policyname, one.tablename);
        EXECUTE format('ALTER TABLE %I NO FORCE ROW LEVEL SECURITY', one.tablename);
        EXECUTE format('ALTER TABLE %I DISABLE ROW LEVEL SECURITY', one.tablename);
    END LOOP;
END
$$;
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM ancu_runtime;
DROP TRIGGER IF EXISTS access_log_chain ON access_log;
DROP TRIGGER IF EXISTS access_log_keep ON access_log;
DROP FUNCTION IF EXISTS access_log_chain();
DROP FUNCTION IF EXISTS access_log_keep();
