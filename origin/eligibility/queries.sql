-- name: lock_programme
-- Waits for bookings under way; no booking of the programme starts until this transaction ends.
SELECT pg_advisory_xact_lock(hashtext('programme'), hashtext(:programme));

-- name: keep_ruleset!
-- Rulesets are named by their content: storing one again changes nothing.
INSERT INTO ruleset (id, document, created_at) VALUES (:id, :document, :now) ON CONFLICT (id) DO NOTHING;

-- name: publish^
-- The next version of a programme's rules: drafted, approved and put in force.
WITH drafted AS (
    INSERT INTO rule_version (programme, version, ruleset, cases, created_at, author, reason)
    SELECT :programme, coalesce(max(version), 0) + 1, :ruleset, :cases, :now, :author, '' FROM rule_version
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

-- name: add_decisions
-- Stores decisions with their audit rows, all those whose rules have not changed since they were made; where somebody
-- asked for one of their household, another row says who.
WITH made AS (
    SELECT keep_decisions(:refs, :programmes, :regions, :persons, :outcomes, :versions, :stand_for, :rulesets, :evaluators,
                          :as_of, :products, :doses, :inputs_hashes, :branches, :facts_sealed, :nows, :expires_at,
                          :digests) AS kept
), asked AS (
    INSERT INTO audit_event (at, kind, programme, actor, person, about, details)
    SELECT a.now, 'asked_for_member', a.programme, 'visitor', a.asker, a.ref, '{}'
      FROM unnest(:refs::uuid[], :programmes::text[], :askers::bytea[], :nows::timestamptz[])
           AS a (ref, programme, asker, now)
      JOIN made ON made.kept = a.ref
     WHERE a.asker IS NOT NULL
)
SELECT kept FROM made;

-- name: facts_of^
-- The sealed facts of a person's decision that can still be booked with, where they were not erased; and who asked for
-- them, where that was the holder of a household.
SELECT facts_sealed,
       (SELECT e.person FROM audit_event e WHERE e.about = ref AND e.kind = 'asked_for_member' LIMIT 1) AS asker
  FROM decision
 WHERE ref = :ref AND person = :person AND programme = :programme AND expires_at > :now;

-- name: erase_facts!
-- Forgets the facts of expired decisions, some at a time. A decision that was booked with stays, without them.
UPDATE decision SET facts_sealed = NULL
 WHERE ref IN (SELECT ref FROM decision WHERE facts_sealed IS NOT NULL AND expires_at < :now LIMIT :at_most);
