-- name: own_decisions
-- A person's own decisions, newest first; `ended`: by an exception that was withdrawn.
SELECT d.ref, d.programme, p.name, d.created_at, d.as_of, d.expires_at, d.outcome, d.rule_version, d.evaluator, d.products,
       d.dose, d.branches, d.facts_sealed, d.override, d.region,
       EXISTS (SELECT FROM override_revocation r WHERE r.override = d.override) AS ended
  FROM decision d JOIN programme p ON p.id = d.programme
 WHERE d.person = :person
 ORDER BY d.created_at DESC, d.ref
 LIMIT 20;

-- name: own_decision^
-- One of them.
SELECT d.ref, d.programme, p.name, d.created_at, d.as_of, d.expires_at, d.outcome, d.rule_version, d.evaluator, d.products,
       d.dose, d.branches, d.facts_sealed, d.override, d.region,
       EXISTS (SELECT FROM override_revocation r WHERE r.override = d.override) AS ended
  FROM decision d JOIN programme p ON p.id = d.programme
 WHERE d.ref = :ref AND d.person = :person;

-- name: live_exception^
-- The newest exception that a person can book with now.
SELECT d.ref FROM decision d
 WHERE d.person = :person AND d.override IS NOT NULL AND d.expires_at > :now
   AND NOT EXISTS (SELECT FROM override_revocation r WHERE r.override = d.override)
 ORDER BY d.created_at DESC
 LIMIT 1;
