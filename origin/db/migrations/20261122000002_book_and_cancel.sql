-- migrate:up

-- Books one slot for one person: every check, the booking and all that must be written with it, in one round trip.
--
-- Guarantees, in any number of concurrent calls (READ COMMITTED): a slot is never oversold; a person has one active
-- appointment per dose; an admission is consumed at most once, and only by a booking; a key is answered once.
-- Refusals write nothing.
--
-- outcome: booked | replayed (answer: the JSON to answer with) | key_in_flight | key_reused | frozen | slot_unknown
--   | slot_past | decision_unknown | decision_expired | not_eligible | rules_changed | product_not_granted
--   | admission_used | already_booked (answer: the appointment's id, as JSON) | slot_gone (answer: the granted products, JSON)
-- Raises unique_violation when a concurrent call for the same person or admission won; ask again for the outcome.
CREATE FUNCTION book(
    p_person bytea, p_key text, p_fingerprint bytea, p_programme text, p_slot bigint, p_decision uuid,
    p_admission text, p_appointment uuid, p_now timestamptz, OUT outcome text, OUT answer text
) LANGUAGE plpgsql AS $$
DECLARE
    known record;
    asked record;
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtextextended(p_key || encode(p_person, 'hex'), 0)) THEN
        outcome := 'key_in_flight';
        RETURN;
    END IF;
    SELECT i.fingerprint, i.body INTO known FROM idempotency i WHERE i.person = p_person AND i.key = p_key;
    IF FOUND THEN
        outcome := CASE WHEN known.fingerprint = p_fingerprint THEN 'replayed' ELSE 'key_reused' END;
        answer := CASE WHEN known.fingerprint = p_fingerprint THEN known.body END;
        RETURN;
    END IF;

    -- Shared with every booking of the programme, exclusive for whoever freezes it or changes its rules: once they
    -- have returned, no booking under the old state can still commit.
    PERFORM pg_advisory_xact_lock_shared(hashtext('programme'), hashtext(p_programme));

    SELECT p.frozen_since, r.version, d.ref, d.rule_version, d.outcome, d.products AS granted, d.dose, d.expires_at,
           s.id AS slot, s.starts_at, s.ends_at, s.product, s.site, site.name, site.address, site.town, site.lat,
           site.lng, site.time_zone, site.step_free,
           (SELECT a.id FROM appointment a WHERE a.admission = p_admission) AS used_by,
           (SELECT a.id FROM appointment a
             WHERE a.programme = p_programme AND a.person = p_person AND a.dose = d.dose
               AND a.status IN ('held', 'confirmed', 'checked_in')) AS active
      INTO asked
      FROM programme p
      LEFT JOIN rules_in_force r ON r.programme = p.id
      LEFT JOIN decision d ON d.ref = p_decision AND d.person = p_person AND d.programme = p.id
      LEFT JOIN slot s ON s.id = p_slot AND s.programme = p.id
      LEFT JOIN site ON site.id = s.site
     WHERE p.id = p_programme;
    outcome := CASE
        WHEN asked.frozen_since IS NOT NULL THEN 'frozen'
        WHEN asked.slot IS NULL THEN 'slot_unknown'
        WHEN asked.starts_at <= p_now THEN 'slot_past'
        WHEN asked.ref IS NULL THEN 'decision_unknown'
        WHEN asked.expires_at <= p_now THEN 'decision_expired'
        WHEN asked.rule_version IS DISTINCT FROM asked.version THEN 'rules_changed'
        WHEN asked.outcome <> 'eligible' THEN 'not_eligible'
        WHEN asked.product <> ALL (asked.granted) THEN 'product_not_granted'
        WHEN asked.used_by IS NOT NULL THEN 'admission_used'
        WHEN asked.active IS NOT NULL THEN 'already_booked'
    END;
    IF outcome IS NOT NULL THEN
        answer := CASE outcome
            WHEN 'admission_used' THEN to_json(asked.used_by)::text
            WHEN 'already_booked' THEN to_json(asked.active)::text
        END;
        RETURN;
    END IF;

    answer := json_build_object(
        'id', p_appointment, 'status', 'confirmed', 'product', asked.product, 'dose', asked.dose,
        'created_at', p_now, 'slot', asked.slot, 'starts_at', asked.starts_at, 'ends_at', asked.ends_at,
        'site', asked.site, 'name', asked.name, 'address', asked.address, 'town', asked.town,
        'lat', asked.lat, 'lng', asked.lng, 'time_zone', asked.time_zone, 'step_free', asked.step_free
    )::text;
    WITH taken AS (
        UPDATE slot SET remaining = remaining - 1 WHERE id = p_slot AND remaining > 0 RETURNING id
    ), booked AS (
        INSERT INTO appointment (id, programme, person, dose, slot, status, decision, admission, created_at, changed_at)
        SELECT p_appointment, p_programme, p_person, asked.dose, id, 'confirmed', p_decision, p_admission, p_now, p_now
          FROM taken
    ), audited AS (
        INSERT INTO audit_event (at, kind, programme, actor, person, about, details)
        SELECT p_now, 'booked', p_programme, 'visitor', p_person, p_appointment,
               json_build_object('slot', id, 'decision', p_decision, 'rule_version', asked.version)
          FROM taken
    ), announced AS (
        INSERT INTO outbox (kind, appointment, appointment_version, created_at)
        SELECT 'booked', p_appointment, 1, p_now FROM taken
    )
    INSERT INTO idempotency (person, key, fingerprint, status, body, created_at)
    SELECT p_person, p_key, p_fingerprint, 201, answer, p_now FROM taken;
    outcome := 'booked';
    IF NOT FOUND THEN
        outcome := 'slot_gone';
        answer := to_json(asked.granted)::text;
    END IF;
END
$$;

-- Keeps a refusal as the answer to its key. A crash may forget it, as nothing was done: it does not wait for the disk.
-- Returns the answer that counts: this one, or the one that a concurrent request stored first; null when that one was
-- to another request.
CREATE FUNCTION remember_refusal(
    p_person bytea, p_key text, p_fingerprint bytea, p_status smallint, p_body text, p_now timestamptz
) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    kept text;
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    INSERT INTO idempotency (person, key, fingerprint, status, body, created_at)
    VALUES (p_person, p_key, p_fingerprint, p_status, p_body, p_now)
    ON CONFLICT (person, key) DO NOTHING;
    SELECT i.body INTO kept FROM idempotency i
     WHERE i.person = p_person AND i.key = p_key AND i.fingerprint = p_fingerprint;
    RETURN kept;
END
$$;

-- Cancels a person's appointment and gives its place back, in one transaction.
-- outcome: cancelled | already_cancelled | unknown (also for other people's) | too_late (begun, or past its start)
CREATE FUNCTION cancel(p_person bytea, p_appointment uuid, p_now timestamptz, OUT outcome text)
LANGUAGE plpgsql AS $$
DECLARE
    ours record;
BEGIN
    SELECT a.status, a.slot, a.programme, a.version, s.starts_at INTO ours
      FROM appointment a JOIN slot s ON s.id = a.slot
     WHERE a.id = p_appointment AND a.person = p_person
       FOR UPDATE OF a;
    outcome := CASE
        WHEN NOT FOUND THEN 'unknown'
        WHEN ours.status = 'cancelled' THEN 'already_cancelled'
        WHEN ours.status NOT IN ('held', 'confirmed') OR ours.starts_at <= p_now THEN 'too_late'
        ELSE 'cancelled'
    END;
    IF outcome <> 'cancelled' THEN
        RETURN;
    END IF;
    UPDATE appointment SET status = 'cancelled', version = version + 1, changed_at = p_now WHERE id = p_appointment;
    UPDATE slot SET remaining = remaining + 1 WHERE id = ours.slot;
    INSERT INTO audit_event (at, kind, programme, actor, person, about, details)
    VALUES (p_now, 'cancelled', ours.programme, 'visitor', p_person, p_appointment,
            json_build_object('slot', ours.slot));
    INSERT INTO outbox (kind, appointment, appointment_version, created_at)
    VALUES ('cancelled', p_appointment, ours.version + 1, p_now);
END
$$;

-- migrate:down
DROP FUNCTION cancel;
DROP FUNCTION remember_refusal;
DROP FUNCTION book;
