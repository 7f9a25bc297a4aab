-- What would let others than its owner read or change the access log past its guards, in words.
WITH log AS (
    SELECT oid, relowner, relacl, relrowsecurity, relforcerowsecurity
    FROM pg_class
    WHERE oid = 'public.access_log'::regclass
),
granted AS (
    SELECT relowner, (aclexplode(relacl)).* FROM log
    UNION ALL
    SELECT relowner, (aclexplode(attacl)).* FROM log JOIN pg_attribute ON attrelid = log.oid
)
SELECT 'row-level security of the log is switched off' AS problem
FROM log WHERE NOT relrowsecurity
UNION ALL
SELECT 'row-level security of the log is not forced on its owner'
FROM log WHERE NOT relforcerowsecurity
UNION ALL
SELECT DISTINCT format('%s on the log is granted to %s', privilege_type,
                       CASE grantee WHEN 0 THEN 'everyone' ELSE pg_get_userbyid(grantee)::text END)
FROM granted
WHERE privilege_type IN ('UPDATE', 'DELETE', 'TRUNCATE') AND grantee <> relowner
UNION ALL
SELECT format('the table %s inherits from the log', inhrelid::regclass)
FROM pg_inherits JOIN log ON inhparent = log.oid
ORDER BY problem
