-- Takes away whatever the benchmark put into the database. Does nothing where there is nothing.
DELETE FROM outbox WHERE appointment IN (SELECT id FROM appointment WHERE programme LIKE 'bench%');
DELETE FROM audit_event WHERE programme LIKE 'bench%';
DELETE FROM idempotency WHERE person IN (SELECT person FROM decision WHERE programme LIKE 'bench%');
DELETE FROM appointment WHERE programme LIKE 'bench%';
DELETE FROM decision WHERE programme LIKE 'bench%';
DELETE FROM slot WHERE programme LIKE 'bench%';
DELETE FROM site WHERE region = 'bench';
DELETE FROM region WHERE id = 'bench';
DELETE FROM rules_in_force WHERE programme LIKE 'bench%';
DELETE FROM rule_version WHERE programme LIKE 'bench%';
DELETE FROM programme WHERE id LIKE 'bench%';
