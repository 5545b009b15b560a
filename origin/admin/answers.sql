-- name: decision^
-- A decision with the rules that made it, and the digest in its audit row.
SELECT d.*, s.document, v.region AS rules_region, v.author, v.created_at AS drafted_at, r.reviewer, r.at AS reviewed_at,
       (SELECT e.details->>'digest' FROM audit_event e WHERE e.about = d.ref AND e.kind = 'decided' LIMIT 1) AS digest
  FROM decision d
  JOIN ruleset s ON s.id = d.ruleset
  JOIN rule_version v ON v.programme = d.programme AND v.version = d.rule_version
  LEFT JOIN rule_review r ON r.programme = d.programme AND r.version = d.rule_version
 WHERE d.ref = :ref;

-- name: decisions_of
-- A person's decisions, newest first.
SELECT ref AS decision_ref, programme, created_at AS decided_at, outcome, rule_version, override, expires_at
  FROM decision WHERE person = :person ORDER BY created_at DESC, ref LIMIT 50;

-- name: put_in_force
-- Who put a version in force, whenever it was.
SELECT act, actor AS by, reason, since FROM rule_move
 WHERE programme = :programme AND version = :version AND pointer = 'active' AND act IN ('activated', 'rolled_back')
 ORDER BY id;

-- name: booked_by
-- A person's appointments in a programme, newest first.
SELECT a.id, a.status, a.decision AS decision_ref, s.product, a.dose, s.starts_at, a.created_at
  FROM appointment a JOIN slot s ON s.id = a.slot
 WHERE a.person = :person AND a.programme = :programme
 ORDER BY a.created_at DESC, a.id;

-- name: recorded_about
-- What the audit says about these.
SELECT at, kind, actor AS role FROM audit_event WHERE about = ANY (:about::uuid[]) ORDER BY at, kind;

-- name: rule_text^
-- The document that a decision was made by, as it is stored.
SELECT d.programme, s.document FROM decision d JOIN ruleset s ON s.id = d.ruleset WHERE d.ref = :ref;
