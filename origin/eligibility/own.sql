-- name: own_decisions
-- A person's own decisions, newest first; then, by `member`, those that they have asked for about people who are in their
-- household now. `ended`: by an exception that was withdrawn. Whose decision an exception overrules sees the exception.
WITH about AS (
    SELECT NULL::uuid AS member, :person::bytea AS person
     UNION ALL
    SELECT m.id, m.person FROM household_member m WHERE m.holder = :person
)
SELECT about.member, d.ref, d.programme, p.name, d.created_at, d.as_of, d.expires_at, d.outcome, d.rule_version,
       d.evaluator, d.products, d.dose, d.branches, d.facts_sealed, d.override, d.region,
       EXISTS (SELECT FROM override_revocation r WHERE r.override = d.override) AS ended
  FROM about
 CROSS JOIN LATERAL (
        SELECT d.*
          FROM decision d LEFT JOIN override o ON o.id = d.override
         WHERE d.person = about.person
           AND (about.member IS NULL
                OR EXISTS (SELECT FROM audit_event e
                            WHERE e.about = coalesce(o.overrules, d.ref) AND e.kind = 'asked_for_member'
                              AND e.person = :person))
         ORDER BY d.created_at DESC, d.ref
         LIMIT 20
       ) d
  JOIN programme p ON p.id = d.programme
 ORDER BY about.member NULLS FIRST, d.created_at DESC, d.ref;

-- name: own_decision^
-- One of them.
SELECT m.id AS member, d.ref, d.programme, p.name, d.created_at, d.as_of, d.expires_at, d.outcome, d.rule_version,
       d.evaluator, d.products, d.dose, d.branches, d.facts_sealed, d.override, d.region,
       EXISTS (SELECT FROM override_revocation r WHERE r.override = d.override) AS ended
  FROM decision d
  JOIN programme p ON p.id = d.programme
  LEFT JOIN override o ON o.id = d.override
  LEFT JOIN household_member m
         ON m.holder = :person AND m.person = d.person
        AND EXISTS (SELECT FROM audit_event e
                     WHERE e.about = coalesce(o.overrules, d.ref) AND e.kind = 'asked_for_member' AND e.person = :person)
 WHERE d.ref = :ref AND (d.person = :person OR m.id IS NOT NULL);

-- name: live_exception^
-- The newest exception that a person can book with now.
SELECT d.ref FROM decision d
 WHERE d.person = :person AND d.override IS NOT NULL AND d.expires_at > :now
   AND NOT EXISTS (SELECT FROM override_revocation r WHERE r.override = d.override)
 ORDER BY d.created_at DESC
 LIMIT 1;
