-- Everything that acts on access_log by itself: triggers as they are now, and rules.
SELECT tgname AS name, tgenabled::text AS enabled, pg_get_triggerdef(t.oid, true) AS definition,
       prosrc AS source
FROM pg_trigger t
JOIN pg_proc f ON f.oid = tgfoid
WHERE tgrelid = 'public.access_log'::regclass AND NOT tgisinternal
UNION ALL
SELECT rulename, ev_enabled::text, 'rule', ''
FROM pg_rewrite
WHERE ev_class = 'public.access_log'::regclass
ORDER BY name
