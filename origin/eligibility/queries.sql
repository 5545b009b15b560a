-- name: lock_programme
-- Waits for bookings under way; no booking of the programme starts until this transaction ends.
SELECT pg_advisory_xact_lock(hashtext('programme'), hashtext(:programme));

-- name: keep_ruleset!
-- Rulesets are named by their content: storing one again changes nothing.
INSERT INTO ruleset (id, document, created_at) VALUES (:id, :document, :now) ON CONFLICT (id) DO NOTHING;

-- name: add_version^
-- The next version number of a programme's rules.
INSERT INTO rule_version (programme, version, ruleset, created_at)
SELECT :programme, coalesce(max(version), 0) + 1, :ruleset, :now FROM rule_version WHERE programme = :programme
RETURNING version;

-- name: put_in_force!
-- Moves the one pointer.
INSERT INTO rules_in_force (programme, version, since) VALUES (:programme, :version, :now)
ON CONFLICT (programme) DO UPDATE SET version = excluded.version, since = excluded.since;

-- name: in_force^
-- The version in force and its document.
SELECT r.version, v.ruleset, s.document
  FROM rules_in_force r
  JOIN rule_version v ON v.programme = r.programme AND v.version = r.version
  JOIN ruleset s ON s.id = v.ruleset
 WHERE r.programme = :programme;

-- name: version_in_force^
-- Only the number of the version in force.
SELECT version FROM rules_in_force WHERE programme = :programme;

-- name: add_decision^
-- Stores a decision and its audit row together, unless the rules have changed since it was made: then no row returns.
WITH current AS (
    SELECT version FROM rules_in_force WHERE programme = :programme AND version = :version
), decided AS (
    INSERT INTO decision (ref, programme, person, outcome, rule_version, ruleset, evaluator, as_of, products, dose,
                          inputs_hash, branches, facts_sealed, created_at, expires_at)
    SELECT :ref, :programme, :person, :outcome, version, :ruleset, :evaluator, :as_of, :products, :dose,
           :inputs_hash, :branches, :facts_sealed, :now, :expires_at
      FROM current
    RETURNING ref, rule_version
)
INSERT INTO audit_event (at, kind, programme, actor, person, about, details)
SELECT :now, 'decided', :programme, 'visitor', :person, ref,
       json_build_object('outcome', :outcome::text, 'rule_version', rule_version, 'ruleset', :ruleset::text,
                         'evaluator', :evaluator::text)
  FROM decided
RETURNING about;

-- name: facts_of^
-- The sealed facts of a person's decision, where they were not erased yet.
SELECT facts_sealed, outcome, rule_version FROM decision WHERE ref = :ref AND person = :person AND programme = :programme;

-- name: erase_facts!
-- Forgets the facts of expired decisions, some at a time. A decision that was booked with stays, without them.
UPDATE decision SET facts_sealed = NULL
 WHERE ref IN (SELECT ref FROM decision WHERE facts_sealed IS NOT NULL AND expires_at < :now LIMIT :at_most);
