-- Count the sites of the given communes by kind and stage.
WITH pairs AS MATERIALIZED (
    SELECT p AS province_code, c AS commune_code
    FROM unnest(CAST(:provinces AS text[]), CAST(:communes AS text[])) AS given (p, c)
),
sites AS (
    SELECT province_code, commune_code,
           count(*) FILTER (WHERE kind = 'new' AND stage = 'proposed') AS new_proposed,
           count(*) FILTER (WHERE kind = 'new' AND stage = 'verified') AS new_verified,
           count(*) FILTER (WHERE kind = 'new' AND stage = 'approved') AS new_approved,
           count(*) FILTER (WHERE kind = 'new' AND stage = 'started') AS new_started,
           count(*) FILTER (WHERE kind = 'new' AND stage = 'foundation') AS new_foundation,
           count(*) FILTER (WHERE kind = 'new' AND stage = 'frame') AS new_frame,
           count(*) FILTER (WHERE kind = 'new' AND stage = 'roof') AS new_roof,
           count(*) FILTER (WHERE kind = 'new' AND stage = 'completed') AS new_completed,
           count(*) FILTER (WHERE kind = 'new' AND stage = 'accepted') AS new_accepted,
           count(*) FILTER (WHERE kind = 'new' AND stage = 'handed_over') AS new_handed_over,
           count(*) FILTER (WHERE kind = 'repair' AND stage = 'proposed') AS repair_proposed,
           count(*) FILTER (WHERE kind = 'repair' AND stage = 'verified') AS repair_verified,
           count(*) FILTER (WHERE kind = 'repair' AND stage = 'approved') AS repair_approved,
           count(*) FILTER (WHERE kind = 'repair' AND stage = 'started') AS repair_started,
           count(*) FILTER (WHERE kind = 'repair' AND stage = 'foundation') AS repair_foundation,
           count(*) FILTER (WHERE kind = 'repair' AND stage = 'frame') AS repair_frame,
           count(*) FILTER (WHERE kind = 'repair' AND stage = 'roof') AS repair_roof,
           count(*) FILTER (WHERE kind = 'repair' AND stage = 'completed') AS repair_completed,
           count(*) FILTER (WHERE kind = 'repair' AND stage = 'accepted') AS repair_accepted,
           count(*) FILTER (WHERE kind = 'repair' AND stage = 'handed_over') AS repair_handed_over,
           sum(cost_planned) AS cost_planned,
           sum(cost_paid) AS cost_paid,
           max(stage_on)::timestamp AT TIME ZONE 'Asia/Ho_Chi_Minh' AS last_stage
    FROM pairs
    JOIN site USING (province_code, commune_code)
    GROUP BY 1, 2
)
UPDATE commune_counter AS counter
SET
    new_proposed = coalesce(sites.new_proposed, 0),
    new_verified = coalesce(sites.new_verified, 0),
    new_approved = coalesce(sites.new_approved, 0),
    new_started = coalesce(sites.new_started, 0),
    new_foundation = coalesce(sites.new_foundation, 0),
    new_frame = coalesce(sites.new_frame, 0),
    new_roof = coalesce(sites.new_roof, 0),
    new_completed = coalesce(sites.new_completed, 0),
    new_accepted = coalesce(sites.new_accepted, 0),
    new_handed_over = coalesce(sites.new_handed_over, 0),
    repair_proposed = coalesce(sites.repair_proposed, 0),
    repair_verified = coalesce(sites.repair_verified, 0),
    repair_approved = coalesce(sites.repair_approved, 0),
    repair_started = coalesce(sites.repair_started, 0),
    repair_foundation = coalesce(sites.repair_foundation, 0),
    repair_frame = coalesce(sites.repair_frame, 0),
    repair_roof = coalesce(sites.repair_roof, 0),
    repair_completed = coalesce(sites.repair_completed, 0),
    repair_accepted = coalesce(sites.repair_accepted, 0),
    repair_handed_over = coalesce(sites.repair_handed_over, 0),
    cost_planned = coalesce(sites.cost_planned, 0),
    cost_paid = coalesce(sites.cost_paid, 0),
    -- Counted after the surveys.
    last_activity = greatest(counter.last_survey, last_stage)
FROM pairs
LEFT JOIN sites USING (province_code, commune_code)
WHERE counter.province_code = pairs.province_code
  AND counter.commune_code = pairs.commune_code
