-- migrate:up

-- `book`, as before, but: the rules in force are those for the region of the decision (see `version_in_force`, written out
-- here to save two calls), and a frozen region books nothing, neither at its sites nor for its people. A decision by the last
-- known rules counts as one by the rules in force it stands for, as long as the programme wants that. A decision by override
-- holds under all rules, until it expires or is revoked: `override_ended`. Who revokes waits for the bookings that rest on it.
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
           CASE WHEN p.last_known_rules THEN coalesce(d.stands_for, d.rule_version) ELSE d.rule_version END
               AS rule_version,
           d.ref, d.outcome, d.products AS granted, d.dose, d.expires_at, d.override,
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
        WHEN asked.override IS NOT NULL AND asked.expires_at <= p_now THEN 'override_ended'
        WHEN asked.expires_at <= p_now THEN 'decision_expired'
        WHEN asked.override IS NULL AND asked.rule_version IS DISTINCT FROM asked.version THEN 'rules_changed'
        WHEN asked.outcome <> 'eligible' THEN 'not_eligible'
        WHEN asked.product <> ALL (asked.granted) THEN 'product_not_granted'
        WHEN asked.used_by IS NOT NULL THEN 'admission_used'
        WHEN asked.active IS NOT NULL THEN 'already_booked'
    END;
    IF outcome IS NULL AND asked.override IS NOT NULL THEN
        PERFORM FROM override o WHERE o.id = asked.override FOR SHARE;
        IF EXISTS (SELECT FROM override_revocation r WHERE r.override = asked.override) THEN
            outcome := 'override_ended';
        END IF;
    END IF;
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
               json_build_object('slot', id, 'decision', p_decision, 'rule_version', asked.version,
                                 'override', asked.override)
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

-- Keeps decisions, each with its audit row, and puts them before the candidates in the shadow of their rules: all of them
-- or none. Returns the references of those kept; the others' rules are not in force for their regions any more. Whoever
-- moves the rules takes this lock alone, so that no decision under older rules can commit once the move has returned.
CREATE FUNCTION keep_decisions(
    p_refs uuid[], p_programmes text[], p_regions text[], p_persons bytea[], p_outcomes text[], p_versions integer[],
    p_stand_for integer[], p_rulesets text[], p_evaluators text[], p_as_of date[], p_products jsonb[], p_doses smallint[],
    p_inputs_hashes bytea[], p_branches jsonb[], p_facts_sealed bytea[], p_nows timestamptz[], p_expires_at timestamptz[],
    p_digests text[]
) RETURNS SETOF uuid LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtext('programme'), hashtext(each.programme))
       FROM (SELECT DISTINCT programme FROM unnest(p_programmes) programme ORDER BY programme) each;
    RETURN QUERY
    WITH asked AS MATERIALIZED (
        SELECT a.*, r.id AS its_region
          FROM unnest(p_refs, p_programmes, p_regions, p_persons, p_outcomes, p_versions, p_stand_for, p_rulesets,
                      p_evaluators, p_as_of, p_products, p_doses, p_inputs_hashes, p_branches, p_facts_sealed, p_nows,
                      p_expires_at, p_digests)
               AS a (ref, programme, region, person, outcome, version, stands_for, ruleset, evaluator, as_of, products,
                     dose, inputs_hash, branches, facts_sealed, now, expires_at,
                     digest)
          LEFT JOIN region r ON r.id = a.region
    ), in_force AS MATERIALIZED (
        SELECT scope.programme, scope.its_region, p.last_known_rules,
               version_in_force(scope.programme, scope.its_region) AS version
          FROM (SELECT DISTINCT programme, its_region FROM asked) scope
          JOIN programme p ON p.id = scope.programme
    ), kept AS (
        INSERT INTO decision (ref, programme, region, person, outcome, rule_version, stands_for, ruleset, evaluator, as_of,
                              products, dose, inputs_hash, branches, facts_sealed, created_at, expires_at)
        SELECT a.ref, a.programme, a.its_region, a.person, a.outcome, a.version, a.stands_for, a.ruleset, a.evaluator,
               a.as_of, CASE WHEN a.products IS NOT NULL THEN ARRAY(SELECT jsonb_array_elements_text(a.products)) END,
               a.dose, a.inputs_hash, a.branches, a.facts_sealed, a.now, a.expires_at
          FROM asked a
          JOIN in_force f ON f.programme = a.programme AND f.its_region IS NOT DISTINCT FROM a.its_region
         WHERE f.version = CASE WHEN f.last_known_rules THEN coalesce(a.stands_for, a.version)
                                WHEN a.stands_for IS NULL THEN a.version END
        RETURNING ref, programme, region, person, outcome, rule_version, stands_for, ruleset, evaluator, created_at
    ), audited AS (
        INSERT INTO audit_event (at, kind, programme, actor, person, about, details)
        SELECT k.created_at, 'decided', k.programme, 'visitor', k.person, ref,
               json_build_object('outcome', k.outcome, 'rule_version', k.rule_version, 'stands_for', k.stands_for,
                                 'ruleset', k.ruleset, 'evaluator', k.evaluator, 'digest', a.digest)
          FROM kept k JOIN asked a USING (ref)
    ), candidate AS MATERIALIZED (
        -- The region's candidate is asked about all its people; the programme's about those under the programme's rules.
        SELECT DISTINCT k.programme, k.region, k.rule_version, newest.version
          FROM (SELECT DISTINCT programme, region, rule_version FROM kept) k
          JOIN rule_version v ON v.programme = k.programme AND v.version = k.rule_version
         CROSS JOIN LATERAL (VALUES (k.region), (v.scope)) scope (of)
         CROSS JOIN LATERAL (SELECT m.version FROM rule_move m
                              WHERE m.programme = k.programme AND m.pointer = 'shadow' AND m.scope = scope.of
                              ORDER BY m.id DESC LIMIT 1) newest
         WHERE newest.version <> k.rule_version
    ), shadowed AS (
        INSERT INTO shadow_waiting (decision, programme, version)
        SELECT k.ref, k.programme, c.version
          FROM candidate c
          JOIN kept k ON k.programme = c.programme AND k.region IS NOT DISTINCT FROM c.region
                     AND k.rule_version = c.rule_version
    )
    SELECT ref FROM kept;
END
$$;

-- migrate:down
DROP FUNCTION keep_decisions;
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
