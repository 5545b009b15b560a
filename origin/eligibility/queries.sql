-- name: lock_programme
-- Waits for bookings under way; no booking of the programme starts until this transaction ends.
SELECT pg_advisory_xact_lock(hashtext('programme'), hashtext(:programme));

-- name: keep_ruleset!
-- Rulesets are named by their content: storing one again changes nothing.
INSERT INTO ruleset (id, document, created_at) VALUES (:id, :document, :now) ON CONFLICT (id) DO NOTHING;

-- name: publish^
-- The next version of a programme's rules: drafted, approved and put in force.
WITH drafted AS (
    INSERT INTO rule_version (programme, version, ruleset, created_at, author, reason)
    SELECT :programme, coalesce(max(version), 0) + 1, :ruleset, :now, :author, '' FROM rule_version
     WHERE programme = :programme
    RETURNING programme, version, author
), reviewed AS (
    INSERT INTO rule_review (programme, version, author, reviewer, verdict, reason, at)
    SELECT programme, version, author, :reviewer, 'approved', '', :now FROM drafted
    RETURNING programme, version, reviewer
)
INSERT INTO rule_move (pointer, act, programme, version, scheduled, since, actor, reason)
SELECT 'active', 'activated', programme, version, false, clock_timestamp(), reviewer, '' FROM reviewed
RETURNING version;

-- name: in_force
-- The versions in force, by region; null is the programme itself.
SELECT region, version FROM rules_in_force WHERE programme = :programme;

-- name: version^
-- A version with its document.
SELECT v.ruleset, s.document
  FROM rule_version v
  JOIN ruleset s ON s.id = v.ruleset
 WHERE v.programme = :programme AND v.version = :version;

-- name: add_decision^
-- Stores a decision and its audit row together, unless the rules have changed since it was made.
SELECT keep_decision(:ref, :programme, :region, :person, :outcome, :version, :ruleset, :evaluator, :as_of, :products,
                     :dose, :inputs_hash, :branches, :facts_sealed, :now, :expires_at) AS kept;

-- name: facts_of^
-- The sealed facts of a person's decision, where they were not erased yet.
SELECT facts_sealed, outcome, rule_version FROM decision WHERE ref = :ref AND person = :person AND programme = :programme;

-- name: erase_facts!
-- Forgets the facts of expired decisions, some at a time. A decision that was booked with stays, without them.
UPDATE decision SET facts_sealed = NULL
 WHERE ref IN (SELECT ref FROM decision WHERE facts_sealed IS NOT NULL AND expires_at < :now LIMIT :at_most);
