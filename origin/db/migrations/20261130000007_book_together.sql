-- migrate:up

-- Books many at once, each as if alone, as `book` does: one round trip, one commit, and each statement once for all of them.
-- outcome, answer: as of `book`; and `again`: this one must be asked alone, by `book`, once this has committed (it needs a
-- lock of its own, or two of those that were sent are in each other's way). place: which, from 1.
--
-- Keys are locked, then programmes, then slots in their order, then everything is judged by what is true under these locks.
-- Batches are small and everything is found by an index: the planner must not take tables for as empty as they once were.
CREATE FUNCTION book_together(
    p_persons bytea[], p_keys text[], p_fingerprints bytea[], p_programmes text[], p_slots bigint[], p_decisions uuid[],
    p_admissions text[], p_appointments uuid[], p_nows timestamptz[]
) RETURNS TABLE (place bigint, outcome text, answer text) LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    keys_locked boolean[];
BEGIN
    keys_locked := ARRAY(
        SELECT pg_try_advisory_xact_lock(hashtextextended(sent.key || encode(sent.person, 'hex'), 0))
          FROM unnest(p_keys, p_persons) WITH ORDINALITY AS sent (key, person, place)
         ORDER BY sent.place);
    PERFORM pg_advisory_xact_lock_shared(hashtext('programme'), hashtext(each.programme))
       FROM (SELECT DISTINCT programme FROM unnest(p_programmes) programme ORDER BY programme) each;
    PERFORM FROM slot s
     WHERE s.id = ANY (p_slots) AND (s.remaining > 0 OR EXISTS (SELECT FROM hold h WHERE h.slot = s.id))
     ORDER BY s.id FOR NO KEY UPDATE;

    RETURN QUERY
    WITH sent AS MATERIALIZED (
        SELECT a.*, d.region AS of_region, d.ref, d.outcome AS decided, d.products AS granted, d.dose, d.expires_at,
               d.override, d.rule_version, d.stands_for,
               row_number() OVER (PARTITION BY a.admission ORDER BY a.place) AS of_admission,
               row_number() OVER (PARTITION BY a.programme, a.person, d.dose ORDER BY a.place) AS of_dose
          FROM unnest(p_persons, p_keys, p_fingerprints, p_programmes, p_slots, p_decisions, p_admissions, p_appointments,
                      p_nows, keys_locked) WITH ORDINALITY
               AS a (person, key, fingerprint, programme, slot, decision, admission, appointment, now, key_locked, place)
          LEFT JOIN decision d ON d.ref = a.decision AND d.person = a.person AND d.programme = a.programme
    ), in_force AS MATERIALIZED (
        SELECT scope.programme, scope.of_region, version_in_force(scope.programme, scope.of_region) AS version
          FROM (SELECT DISTINCT sent.programme, sent.of_region FROM sent) scope
    ), judged AS MATERIALIZED (
        SELECT a.*, f.version, s.starts_at, s.ends_at, s.product, site.id AS site, site.name, site.address, site.town,
               site.lat, site.lng, site.time_zone, site.step_free, used.id AS used_by, active.id AS active,
               i.body AS known,
               CASE
                   WHEN NOT a.key_locked THEN 'key_in_flight'
                   WHEN i.fingerprint = a.fingerprint THEN 'replayed'
                   WHEN i.key IS NOT NULL THEN 'key_reused'
                   WHEN a.of_admission > 1 OR a.of_dose > 1 THEN 'again'
                   ELSE coalesce(
                       booking_refusal(
                           p.frozen_since IS NOT NULL OR EXISTS (
                               SELECT FROM region_freeze z
                                WHERE z.programme = a.programme AND z.region IN (site.region, a.of_region)),
                           s.id, s.starts_at, a.ref, a.override, a.expires_at,
                           CASE WHEN p.last_known_rules THEN coalesce(a.stands_for, a.rule_version)
                                ELSE a.rule_version END,
                           f.version, a.decided, s.product, a.granted, used.id, a.now),
                       CASE WHEN active.id IS NOT NULL THEN 'already_booked'
                            WHEN a.override IS NOT NULL OR EXISTS (
                                SELECT FROM course c
                                 WHERE c.programme = a.programme AND c.product = s.product AND c.dose = a.dose
                                   AND NOT c.first_alone) THEN 'again' END)
               END AS refused
          FROM sent a
          JOIN programme p ON p.id = a.programme
          JOIN in_force f ON f.programme = a.programme AND f.of_region IS NOT DISTINCT FROM a.of_region
          LEFT JOIN slot s ON s.id = a.slot AND s.programme = a.programme
          LEFT JOIN site ON site.id = s.site
          LEFT JOIN idempotency i ON i.person = a.person AND i.key = a.key
          LEFT JOIN appointment used ON used.admission = a.admission AND used.part = 1
          LEFT JOIN appointment active ON active.programme = a.programme AND active.person = a.person
                AND active.dose = a.dose AND active.status IN ('held', 'confirmed', 'checked_in')
    ), held AS (
        DELETE FROM hold h USING judged j
         WHERE j.refused IS NULL AND h.person = j.person AND h.slot = j.slot
        RETURNING j.place
    ), wanting AS MATERIALIZED (
        SELECT j.place, j.slot, row_number() OVER (PARTITION BY j.slot ORDER BY j.place) AS turn
          FROM judged j
         WHERE j.refused IS NULL AND j.place NOT IN (SELECT held.place FROM held)
    ), taken AS (
        UPDATE slot s SET remaining = s.remaining - least(wanted.places, s.remaining)
          FROM (SELECT wanting.slot, count(*)::integer AS places FROM wanting GROUP BY wanting.slot) wanted
         WHERE s.id = wanted.slot AND s.remaining > 0
        RETURNING s.id, old.remaining - new.remaining AS places
    ), booked AS MATERIALIZED (
        SELECT j.*, json_build_object(
                   'id', j.appointment, 'status', 'confirmed', 'product', j.product, 'dose', j.dose, 'created_at', j.now,
                   'slot', j.slot, 'starts_at', j.starts_at, 'ends_at', j.ends_at, 'site', j.site, 'name', j.name,
                   'address', j.address, 'town', j.town, 'lat', j.lat, 'lng', j.lng, 'time_zone', j.time_zone,
                   'step_free', j.step_free
               )::text AS said
          FROM judged j
          LEFT JOIN wanting w ON w.place = j.place
          LEFT JOIN taken t ON t.id = w.slot
         WHERE j.refused IS NULL AND (w.place IS NULL OR w.turn <= t.places)
    ), appointed AS (
        INSERT INTO appointment (id, programme, person, dose, slot, status, decision, admission, created_at, changed_at)
        SELECT b.appointment, b.programme, b.person, b.dose, b.slot, 'confirmed', b.decision, b.admission, b.now, b.now
          FROM booked b
    ), audited AS (
        INSERT INTO audit_event (at, kind, programme, actor, person, about, details)
        SELECT b.now, 'booked', b.programme, 'visitor', b.person, b.appointment,
               json_build_object('slot', b.slot, 'decision', b.decision, 'rule_version', b.version, 'override', NULL,
                                 'follows', NULL, 'for_another', false)
          FROM booked b
    ), announced AS (
        INSERT INTO outbox (kind, appointment, appointment_version, created_at)
        SELECT 'booked', b.appointment, 1, b.now FROM booked b
    ), kept AS (
        INSERT INTO idempotency (person, key, fingerprint, status, body, created_at)
        SELECT b.person, b.key, b.fingerprint, 201, b.said, b.now FROM booked b
    )
    SELECT j.place,
           CASE WHEN b.place IS NOT NULL THEN 'booked'
                WHEN j.refused IS NOT NULL THEN j.refused
                WHEN EXISTS (SELECT FROM hold h WHERE h.slot = j.slot AND h.expires_at <= j.now) THEN 'again'
                ELSE 'slot_gone' END,
           CASE WHEN b.place IS NOT NULL THEN b.said
                WHEN j.refused = 'replayed' THEN j.known
                WHEN j.refused = 'admission_used' THEN to_json(j.used_by)::text
                WHEN j.refused = 'already_booked' THEN to_json(j.active)::text
                WHEN j.refused IS NULL THEN to_json(j.granted)::text END
      FROM judged j LEFT JOIN booked b ON b.place = j.place;
END
$$;

-- Keeps refusals as the answers to their keys, as `remember_refusal` does, many at once. A crash may forget them, as nothing
-- was done: they do not wait for the disk. body: the answer that counts; null when the key belongs to another request.
CREATE FUNCTION remember_refusals(
    p_persons bytea[], p_keys text[], p_fingerprints bytea[], p_statuses smallint[], p_bodies text[], p_nows timestamptz[]
) RETURNS TABLE (place bigint, body text) LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);  -- until the commit, which comes after this function's end
    INSERT INTO idempotency (person, key, fingerprint, status, body, created_at)
    SELECT asked.person, asked.key, asked.fingerprint, asked.status, asked.body, asked.now
      FROM unnest(p_persons, p_keys, p_fingerprints, p_statuses, p_bodies, p_nows)
           AS asked (person, key, fingerprint, status, body, now)
     ORDER BY asked.person, asked.key
        ON CONFLICT DO NOTHING;
    RETURN QUERY
    SELECT asked.place, i.body
      FROM unnest(p_persons, p_keys, p_fingerprints) WITH ORDINALITY AS asked (person, key, fingerprint, place)
      LEFT JOIN idempotency i ON i.person = asked.person AND i.key = asked.key AND i.fingerprint = asked.fingerprint;
END
$$;

-- migrate:down
DROP FUNCTION remember_refusals, book_together;
