-- The database itself numbers, dates and seeds each draw, so that nobody chooses what is drawn.
--
-- The seed comes from the last hash of the access log at that moment. The log waits until the draw
-- is stored, so that the entry of whoever draws is the next one. The frame is fixed before: its
-- digest is part of the basis. docs/sampling.md says how to compute the seed from the basis.
CREATE FUNCTION audit_sample_seed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    before CONSTANT text := coalesce(current_setting('ancu.all', true), '');
    last record;
BEGIN
    -- As in access_log_chain: who draws sees neither the log nor all draws.
    PERFORM set_config('ancu.all', 'on', true);
    PERFORM pg_advisory_xact_lock(hashtext('ancu.access_log'));
    SELECT entry_id, hash INTO last FROM public.access_log ORDER BY entry_id DESC LIMIT 1;
    SELECT coalesce(max(number), 0) + 1 INTO NEW.number
    FROM public.audit_sample WHERE area_code = NEW.area_code;
    NEW.drawn_at := clock_timestamp();
    NEW.seed_basis := concat_ws(
        E'\n',
        'ancu-sample-1',
        'entry ' || coalesce(last.entry_id, 0),
        'hash ' || encode(coalesce(last.hash, decode(repeat('00', 32), 'hex')), 'hex'),
        'area ' || NEW.area_code,
        'method ' || NEW.method,
        'size ' || NEW.size,
        'at-least ' || NEW.at_least,
        'number ' || NEW.number,
        'frame ' || NEW.frame_sha256
    );
    NEW.seed := encode(sha256(convert_to(NEW.seed_basis, 'UTF8')), 'hex');
    PERFORM set_config('ancu.all', before, true);
    RETURN NEW;
END
$$;

REVOKE ALL ON FUNCTION audit_sample_seed() FROM PUBLIC;

CREATE TRIGGER audit_sample_seed BEFORE INSERT ON audit_sample
    FOR EACH ROW EXECUTE FUNCTION audit_sample_seed();
ALTER TABLE audit_sample ENABLE ALWAYS TRIGGER audit_sample_seed;
