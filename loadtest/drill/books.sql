-- What the books say after the drill, in one snapshot: counts that must be 0 over the whole programme, and what was
-- booked and decided since the doors opened (:'since'). Prints one JSON object.
WITH taking AS (  -- appointments that take up capacity
    SELECT slot, count(*) AS taken FROM appointment WHERE status <> 'cancelled' GROUP BY slot
), holding AS (  -- places that are kept for somebody, lapsed ones included until they are swept
    SELECT slot, count(*) AS held FROM hold GROUP BY slot
)
SELECT json_build_object(
    -- the same person holds a dose more than once
    'double_bookings', (
        SELECT coalesce(sum(n - 1), 0) FROM (
            SELECT count(*) AS n FROM appointment
            WHERE programme = :'programme' AND status IN ('held', 'confirmed', 'checked_in')
            GROUP BY person, dose HAVING count(*) > 1) AS twice),
    -- more taken than there is, or a `remaining` that does not add up
    'oversold_slots', (
        SELECT count(*) FROM slot LEFT JOIN taking ON taking.slot = slot.id LEFT JOIN holding ON holding.slot = slot.id
        WHERE slot.programme = :'programme'
          AND (coalesce(taken, 0) > capacity
               OR remaining <> capacity - coalesce(taken, 0) - coalesce(held, 0))),
    -- exactly one audit row of its kind for each
    'bookings_without_audit', (
        SELECT count(*) FROM appointment
        WHERE programme = :'programme'
          AND (SELECT count(*) FROM audit_event WHERE about = appointment.id AND kind = 'booked') <> 1),
    'decisions_without_audit', (
        SELECT count(*) FROM decision
        WHERE programme = :'programme'
          AND (SELECT count(*) FROM audit_event WHERE about = decision.ref AND kind = 'decided') <> 1),
    'audit_without_cause', (
        SELECT count(*) FROM audit_event
        WHERE programme = :'programme'
          AND CASE
              WHEN kind IN ('decided', 'asked_for_member') THEN NOT EXISTS (SELECT FROM decision WHERE ref = about)
              WHEN kind IN ('frozen', 'unfrozen') THEN NOT EXISTS (SELECT FROM freeze_event WHERE id = about)
              WHEN kind LIKE 'supply%' THEN NOT EXISTS (SELECT FROM supply_import WHERE id = about)
              WHEN kind = 'policies' THEN false  -- the row is all there is to it
              WHEN kind = 'slots_cancelled' THEN NOT EXISTS (SELECT FROM site_cancellation WHERE id = about)
              WHEN kind = 'slots_reopened' THEN NOT EXISTS (SELECT FROM site_reopening WHERE id = about)
              WHEN kind LIKE 'rules%' THEN NOT EXISTS (SELECT FROM rule_version WHERE id = about)
              ELSE NOT EXISTS (SELECT FROM appointment WHERE id = about)
          END),
    -- a notice of each version of an appointment is waiting or was sent, once
    'bookings_without_notice', (
        SELECT count(*) FROM appointment
        WHERE programme = :'programme' AND changed_at >= :'since'
          AND NOT EXISTS (SELECT FROM outbox WHERE outbox.appointment = appointment.id AND appointment_version = version)),
    'bookings', (
        SELECT coalesce(json_agg(json_build_object('id', id, 'admission', admission, 'slot', slot::text)), '[]')
        FROM appointment WHERE programme = :'programme' AND created_at >= :'since'),
    'decisions', (
        SELECT coalesce(json_agg(ref), '[]')
        FROM decision WHERE programme = :'programme' AND created_at >= :'since')
);
