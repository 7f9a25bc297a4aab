-- Count households that were visited for the first time, or inside for the first time. Exact under
-- the locks of the communes' counters: whoever else wrote there has committed and counted, so that
-- a household had no survey before exactly where it has no others than the added ones now.
WITH visit AS (
    SELECT p AS province_code, c AS commune_code, h AS household_code,
           count(*) AS own, count(*) FILTER (WHERE was_inside) AS own_inside
    FROM unnest(
        CAST(:provinces AS text[]), CAST(:communes AS text[]), CAST(:households AS text[]),
        CAST(:inside AS boolean[])
    ) AS given (p, c, h, was_inside)
    GROUP BY 1, 2, 3
),
first AS (
    SELECT visit.*, stored.number = own AS visited,
           own_inside > 0 AND stored.inside = own_inside AS verified
    FROM visit
    CROSS JOIN LATERAL (
        SELECT count(*) AS number, count(*) FILTER (WHERE verdict = 'inside') AS inside
        FROM survey
        WHERE survey.province_code = visit.province_code
          AND survey.commune_code = visit.commune_code
          AND survey.household_code = visit.household_code
    ) AS stored
),
added AS (
    SELECT province_code, commune_code,
           count(*) FILTER (WHERE visited) AS surveyed,
           count(*) FILTER (WHERE verified) AS verified,
           count(*) FILTER (WHERE visited AND status = 'poor') AS poor_surveyed
    FROM first
    JOIN household USING (province_code, commune_code, household_code)
    WHERE visited OR verified
    GROUP BY 1, 2
)
UPDATE commune_counter AS counter
SET surveyed = counter.surveyed + added.surveyed,
    verified = counter.verified + added.verified,
    poor_surveyed = counter.poor_surveyed + added.poor_surveyed
FROM added
WHERE counter.province_code = added.province_code
  AND counter.commune_code = added.commune_code
