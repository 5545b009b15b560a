-- migrate:up

-- `book`, as before, but: the rules in force are those for the region of the decision (see `version_in_force`, written out
-- here to save two calls), and a frozen region books nothing, neither at its sites nor for its people.
CREATE OR REPLACE FUNCTION book(
    p_person bytea, p_key text, p_fingerprint bytea, p_programme text, p_slot bigint, p_decision uuid,
    p_admission text, p_appointment uuid, p_now timestamptz, OUT outcome text, OUT answer text
) LANGUAGE plpgsql AS $$
DECLARE
    known record;
    asked record;
    moment timestamptz;
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
    moment := clock_timestamp();  -- behind the lock: not before the last move of the rules

    SELECT p.frozen_since IS NOT NULL OR EXISTS (
               SELECT FROM region_freeze f WHERE f.programme = p_programme AND f.region IN (site.region, d.region)
           ) AS frozen,
           coalesce(
               (SELECT m.version FROM rule_move m
                 WHERE m.programme = p_programme AND m.pointer = 'active' AND m.scope = d.region
                   AND (NOT m.scheduled OR m.since <= moment)
                 ORDER BY m.id DESC LIMIT 1),
               (SELECT m.version FROM rule_move m
                 WHERE m.programme = p_programme AND m.pointer = 'active' AND m.scope = ''
                   AND (NOT m.scheduled OR m.since <= moment)
                 ORDER BY m.id DESC LIMIT 1)
           ) AS version,
           d.ref, d.rule_version, d.outcome, d.products AS granted, d.dose, d.expires_at,
           s.id AS slot, s.starts_at, s.ends_at, s.product, s.site, site.name, site.address, site.town, site.lat,
           site.lng, site.time_zone, site.step_free,
           (SELECT a.id FROM appointment a WHERE a.admission = p_admission) AS used_by,
           (SELECT a.id FROM appointment a
             WHERE a.programme = p_programme AND a.person = p_person AND a.dose = d.dose
               AND a.status IN ('held', 'confirmed', 'checked_in')) AS active
      INTO asked
      FROM programme p
      LEFT JOIN decision d ON d.ref = p_decision AND d.person = p_person AND d.programme = p.id
      LEFT JOIN slot s ON s.id = p_slot AND s.programme = p.id
      LEFT JOIN site ON site.id = s.site
     WHERE p.id = p_programme;
    outcome := CASE
        WHEN asked.frozen THEN 'frozen'
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

-- Keeps a decision with its audit row, and puts it before the candidates in the shadow of its rules. Returns false, and
-- keeps nothing, when p_version is not in force for p_region any more: whoever moves the rules takes this lock alone, so
-- that no decision under older rules can commit once the move has returned.
CREATE FUNCTION keep_decision(
    p_ref uuid, p_programme text, p_region text, p_person bytea, p_outcome text, p_version integer, p_ruleset text,
    p_evaluator text, p_as_of date, p_products text[], p_dose smallint, p_inputs_hash bytea, p_branches jsonb,
    p_facts_sealed bytea, p_now timestamptz, p_expires_at timestamptz
) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    its_region text;
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtext('programme'), hashtext(p_programme));
    SELECT r.id INTO its_region FROM region r WHERE r.id = p_region;
    IF p_version IS DISTINCT FROM version_in_force(p_programme, its_region) THEN
        RETURN false;
    END IF;
    INSERT INTO decision (ref, programme, region, person, outcome, rule_version, ruleset, evaluator, as_of, products, dose,
                          inputs_hash, branches, facts_sealed, created_at, expires_at)
    VALUES (p_ref, p_programme, its_region, p_person, p_outcome, p_version, p_ruleset, p_evaluator, p_as_of, p_products,
            p_dose, p_inputs_hash, p_branches, p_facts_sealed, p_now, p_expires_at);
    INSERT INTO audit_event (at, kind, programme, actor, person, about, details)
    VALUES (p_now, 'decided', p_programme, 'visitor', p_person, p_ref,
            json_build_object('outcome', p_outcome, 'rule_version', p_version, 'ruleset', p_ruleset,
                              'evaluator', p_evaluator));
    -- The region's candidate is asked about all its people; the programme's about those under the programme's rules.
    INSERT INTO shadow_waiting (decision, programme, version)
    SELECT p_ref, p_programme, candidate.version
      FROM (SELECT its_region AS scope UNION SELECT v.scope FROM rule_version v
             WHERE v.programme = p_programme AND v.version = p_version) asked
     CROSS JOIN LATERAL (SELECT m.version FROM rule_move m
                          WHERE m.programme = p_programme AND m.pointer = 'shadow' AND m.scope = asked.scope
                          ORDER BY m.id DESC LIMIT 1) candidate
     WHERE candidate.version <> p_version;
    RETURN true;
END
$$;

-- migrate:down
DROP FUNCTION keep_decision;
CREATE OR REPLACE FUNCTION book(
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
