-- Take the counters of the given communes, in one order for all writers, so that two of them
-- wait for each other instead of losing a count. Rows that do not exist yet must exist first.
SELECT 1
FROM commune_counter
WHERE (province_code, commune_code) IN (SELECT * FROM unnest(CAST(:provinces AS text[]), CAST(:communes AS text[])))
ORDER BY province_code, commune_code
FOR UPDATE
