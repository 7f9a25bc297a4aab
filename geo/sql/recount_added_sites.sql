-- Count on sites that were added to communes, by kind and stage; needs the locks of their counters.
WITH added AS (
    SELECT p AS province_code, c AS commune_code,
           sum(number) FILTER (WHERE kind = 'new' AND stage = 'proposed') AS new_proposed,
           sum(number) FILTER (WHERE kind = 'new' AND stage = 'verified') AS new_verified,
           sum(number) FILTER (WHERE kind = 'new' AND stage = 'approved') AS new_approved,
           sum(number) FILTER (WHERE kind = 'new' AND stage = 'started') AS new_started,
           sum(number) FILTER (WHERE kind = 'new' AND stage = 'foundation') AS new_foundation,
           sum(number) FILTER (WHERE kind = 'new' AND stage = 'frame') AS new_frame,
           sum(number) FILTER (WHERE kind = 'new' AND stage = 'roof') AS new_roof,
           sum(number) FILTER (WHERE kind = 'new' AND stage = 'completed') AS new_completed,
           sum(number) FILTER (WHERE kind = 'new' AND stage = 'accepted') AS new_accepted,
           sum(number) FILTER (WHERE kind = 'new' AND stage = 'handed_over') AS new_handed_over,
           sum(number) FILTER (WHERE kind = 'repair' AND stage = 'proposed') AS repair_proposed,
           sum(number) FILTER (WHERE kind = 'repair' AND stage = 'verified') AS repair_verified,
           sum(number) FILTER (WHERE kind = 'repair' AND stage = 'approved') AS repair_approved,
           sum(number) FILTER (WHERE kind = 'repair' AND stage = 'started') AS repair_started,
           sum(number) FILTER (WHERE kind = 'repair' AND stage = 'foundation') AS repair_foundation,
           sum(number) FILTER (WHERE kind = 'repair' AND stage = 'frame') AS repair_frame,
           sum(number) FILTER (WHERE kind = 'repair' AND stage = 'roof') AS repair_roof,
           sum(number) FILTER (WHERE kind = 'repair' AND stage = 'completed') AS repair_completed,
           sum(number) FILTER (WHERE kind = 'repair' AND stage = 'accepted') AS repair_accepted,
           sum(number) FILTER (WHERE kind = 'repair' AND stage = 'handed_over') AS repair_handed_over,
           sum(planned) AS planned, sum(paid) AS paid,
           max(stage_on)::timestamp AT TIME ZONE 'Asia/Ho_Chi_Minh' AS last_stage
    FROM unnest(
        CAST(:provinces AS text[]), CAST(:communes AS text[]), CAST(:kinds AS text[]),
        CAST(:stages AS text[]), CAST(:number AS integer[]), CAST(:planned AS bigint[]),
        CAST(:paid AS bigint[]), CAST(:last AS date[])
    ) AS given (p, c, kind, stage, number, planned, paid, stage_on)
    GROUP BY 1, 2
)
UPDATE commune_counter AS counter
SET
    new_proposed = counter.new_proposed + coalesce(added.new_proposed, 0),
    new_verified = counter.new_verified + coalesce(added.new_verified, 0),
    new_approved = counter.new_approved + coalesce(added.new_approved, 0),
    new_started = counter.new_started + coalesce(added.new_started, 0),
    new_foundation = counter.new_foundation + coalesce(added.new_foundation, 0),
    new_frame = counter.new_frame + coalesce(added.new_frame, 0),
    new_roof = counter.new_roof + coalesce(added.new_roof, 0),
    new_completed = counter.new_completed + coalesce(added.new_completed, 0),
    new_accepted = counter.new_accepted + coalesce(added.new_accepted, 0),
    new_handed_over = counter.new_handed_over + coalesce(added.new_handed_over, 0),
    repair_proposed = counter.repair_proposed + coalesce(added.repair_proposed, 0),
    repair_verified = counter.repair_verified + coalesce(added.repair_verified, 0),
    repair_approved = counter.repair_approved + coalesce(added.repair_approved, 0),
    repair_started = counter.repair_started + coalesce(added.repair_started, 0),
    repair_foundation = counter.repair_foundation + coalesce(added.repair_foundation, 0),
    repair_frame = counter.repair_frame + coalesce(added.repair_frame, 0),
    repair_roof = counter.repair_roof + coalesce(added.repair_roof, 0),
    repair_completed = counter.repair_completed + coalesce(added.repair_completed, 0),
    repair_accepted = counter.repair_accepted + coalesce(added.repair_accepted, 0),
    repair_handed_over = counter.repair_handed_over + coalesce(added.repair_handed_over, 0),
    cost_planned = counter.cost_planned + added.planned,
    cost_paid = counter.cost_paid + added.paid,
    last_activity = greatest(counter.last_activity, last_stage)
FROM added
WHERE counter.province_code = added.province_code
  AND counter.commune_code = added.commune_code
