-- name: patience
-- Whoever moves rules or freezes waits for the bookings under way, longer than a booking waits for anything.
SELECT set_config('lock_timeout', '4000', true);

-- name: lock_drafts
-- Drafts of one programme get their numbers one after the other; bookings go on meanwhile.
SELECT pg_advisory_xact_lock(hashtext('rule drafts'), hashtext(:programme));

-- name: now^
-- The clock that activations go by.
SELECT clock_timestamp() AS now;

-- name: one_version^
-- A version: whose, and its identity in the audit.
SELECT id, version, region, ruleset, author FROM rule_version WHERE programme = :programme AND version = :version;

-- name: add_draft^
-- The next version of a programme's rules, not yet reviewed.
INSERT INTO rule_version (programme, version, ruleset, cases, created_at, region, author, reason)
SELECT :programme, coalesce(max(version), 0) + 1, :ruleset, :cases, :now, :region, :author, :reason
  FROM rule_version WHERE programme = :programme
RETURNING id, version;

-- name: version_with_cases^
-- A version's document and the example cases that it was drafted with.
SELECT v.ruleset, s.document, v.cases
  FROM rule_version v
  JOIN ruleset s ON s.id = v.ruleset
 WHERE v.programme = :programme AND v.version = :version;

-- name: add_review^
-- One verdict on a version, by somebody else: constraints say so.
INSERT INTO rule_review (programme, version, author, reviewer, verdict, reason, at)
SELECT programme, version, author, :reviewer, :verdict, :reason, :now
  FROM rule_version WHERE programme = :programme AND version = :version
RETURNING version;

-- name: add_move!
-- Moves a pointer; `at` null: from now on.
INSERT INTO rule_move (pointer, act, programme, region, version, scheduled, since, actor, reason)
VALUES (:pointer, :act, :programme, :region, :version, :at::timestamptz IS NOT NULL,
        coalesce(:at::timestamptz, clock_timestamp()), :actor, :reason);

-- name: moves
-- All moves of one kind of pointer of a programme, as they were made.
SELECT id, act, region, version, scheduled, since, made_at, actor, reason
  FROM rule_move WHERE programme = :programme AND pointer = :pointer ORDER BY id;

-- name: versions
-- Every version of a programme, with its review where there was one, newest first.
SELECT v.id, v.version, v.region, v.ruleset, v.author, v.reason, v.created_at,
       r.reviewer, r.verdict, r.reason AS review_reason, r.at AS reviewed_at
  FROM rule_version v
  LEFT JOIN rule_review r ON r.programme = v.programme AND r.version = v.version
 WHERE v.programme = :programme
 ORDER BY v.version DESC;

-- name: shadow_report
-- Decisions that a candidate would have made differently, by region, outcome and reason code.
SELECT s.region, d.outcome AS live, s.outcome AS candidate, reason.code AS reason, count(*) AS decisions
  FROM shadow_outcome s
  JOIN decision d ON d.ref = s.decision
  LEFT JOIN LATERAL unnest(s.reasons) AS reason (code) ON true
 WHERE s.programme = :programme AND s.version = :version AND NOT s.same
 GROUP BY 1, 2, 3, 4
 ORDER BY decisions DESC, 1, 2, 3, 4;

-- name: shadow_totals^
-- How many decisions a candidate was asked about, and how many of them it would have made differently.
SELECT count(*) AS compared, count(*) FILTER (WHERE NOT same) AS different,
       (SELECT count(*) FROM shadow_waiting w WHERE w.programme = :programme AND w.version = :version) AS waiting
  FROM shadow_outcome WHERE programme = :programme AND version = :version;

