-- One booking in one statement, no checks, as the bare endpoint's (`baseline.sql`): what `pgbench` runs. A slot is chosen at
-- random between :first and :last, whose ids have no holes.
\set slot random(:first, :last)
WITH taken AS (
    UPDATE slot SET remaining = remaining - 1 WHERE id = :slot AND remaining > 0 RETURNING id, programme
), booked AS (
    INSERT INTO appointment (id, programme, person, dose, slot, status, decision, admission, created_at, changed_at)
    SELECT gen_random_uuid(), programme, sha256(uuid_send(gen_random_uuid())), 1, id, 'confirmed', :decision,
           gen_random_uuid()::text, now(), now() FROM taken
    RETURNING id, slot, programme, person
), audited AS (
    INSERT INTO audit_event (id, at, kind, programme, actor, person, about, details)
    SELECT gen_random_uuid(), now(), 'booked', programme, 'visitor', person, id, '{}' FROM booked
), noticed AS (
    INSERT INTO outbox (kind, appointment, appointment_version, created_at) SELECT 'booked', id, 1, now() FROM booked
)
SELECT slot FROM booked;
