-- Nothing is booked any more; decisions stay. Tables are vacuumed, so that each run finds them alike. What was still under
-- way when the load ended is waited for.
BEGIN;
LOCK TABLE slot, appointment, outbox IN SHARE ROW EXCLUSIVE MODE;
DELETE FROM outbox WHERE appointment IN (SELECT id FROM appointment WHERE programme LIKE 'bench%');
DELETE FROM audit_event WHERE programme LIKE 'bench%' AND kind = 'booked';
DELETE FROM idempotency WHERE person IN (SELECT person FROM decision WHERE programme LIKE 'bench%');
DELETE FROM appointment WHERE programme LIKE 'bench%';
UPDATE slot SET remaining = capacity WHERE programme LIKE 'bench%' AND remaining <> capacity;
COMMIT;
VACUUM outbox, audit_event, idempotency, appointment, slot;
CHECKPOINT;
