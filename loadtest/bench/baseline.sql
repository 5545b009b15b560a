-- One booking in one statement, no checks. $1 slot, $2 appointment, $3 decision, $4 person, $5 admission, $6 audit row.
WITH taken AS (
    UPDATE slot SET remaining = remaining - 1 WHERE id = $1 AND remaining > 0 RETURNING id, programme
), booked AS (
    INSERT INTO appointment (id, programme, person, dose, slot, status, decision, admission, created_at, changed_at)
    SELECT $2, programme, $4, 1, id, 'confirmed', $3, $5, now(), now() FROM taken
    RETURNING id, slot, programme
), audited AS (
    INSERT INTO audit_event (id, at, kind, programme, actor, person, about, details)
    SELECT $6, now(), 'booked', programme, 'visitor', $4, id, '{}' FROM booked
), noticed AS (
    INSERT INTO outbox (kind, appointment, appointment_version, created_at) SELECT 'booked', id, 1, now() FROM booked
)
SELECT slot FROM booked;
