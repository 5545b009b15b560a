-- name: take_waiting
-- Takes some decisions out of the queue of candidates, past those that another worker has in hand.
WITH taken AS (
    DELETE FROM shadow_waiting
     WHERE (decision, version) IN (
         SELECT decision, version FROM shadow_waiting ORDER BY decision, version LIMIT :at_most FOR UPDATE SKIP LOCKED
     )
    RETURNING decision, programme, version
)
SELECT taken.programme, taken.version, d.ref, d.region, d.outcome, d.products, d.dose, d.as_of, d.facts_sealed
  FROM taken JOIN decision d ON d.ref = taken.decision;

-- name: keep_shadow!
-- What a candidate said about a decision.
INSERT INTO shadow_outcome (programme, version, decision, same, outcome, reasons, region)
VALUES (:programme, :version, :decision, :same, :outcome, :reasons, :region)
ON CONFLICT DO NOTHING;

-- name: begin_replay^
-- Goes on with the replay that was not finished, or begins one.
INSERT INTO replay (id, programme, from_version, to_version, started_at, total)
VALUES (:id, :programme, :from_version, :to_version, :now,
        (SELECT count(*) FROM decision
          WHERE programme = :programme AND rule_version = :from_version AND override IS NULL))
ON CONFLICT (programme, from_version, to_version) WHERE finished_at IS NULL DO UPDATE SET total = excluded.total
RETURNING id, total, seen, changed, erased;

-- name: hold_replay^
-- How far a replay is. Two that run the same one take turns, batch by batch.
SELECT programme, from_version, to_version, after_at, after_ref, finished_at FROM replay WHERE id = :id FOR UPDATE;

-- name: decisions_under
-- Decisions of one version behind a given one, in the order in which they were made; not those that overrule the rules.
SELECT ref, region, outcome, rule_version, ruleset, evaluator, as_of, products, dose, inputs_hash, branches, facts_sealed,
       created_at,
       EXISTS (SELECT FROM appointment a
                WHERE a.person = d.person AND a.decision = d.ref
                  AND a.status IN ('held', 'confirmed', 'checked_in')) AS booked
  FROM decision d
 WHERE d.programme = :programme AND d.rule_version = :version AND d.override IS NULL
   AND (d.created_at, d.ref) > (:after_at, :after_ref)
 ORDER BY d.created_at, d.ref
 LIMIT :at_most;

-- name: add_finding!
-- A decision to look at.
INSERT INTO replay_finding (replay, decision, outcome, reasons) VALUES (:id, :decision, :outcome, :reasons);

-- name: advance_replay^
-- Puts a batch behind us, with its counts.
UPDATE replay
   SET after_at = :after_at, after_ref = :after_ref, seen = seen + :seen, changed = changed + :changed,
       erased = erased + :erased
 WHERE id = :id
RETURNING seen, changed, erased;

-- name: finish_replay!
-- Nothing is left to look at.
UPDATE replay SET finished_at = :now WHERE id = :id AND finished_at IS NULL;

-- name: replay_summary
-- Who is affected, by region, outcomes and reason code; how many of those have an appointment now.
SELECT d.region, d.outcome AS before, f.outcome AS after, reason.code AS reason, count(*) AS decisions,
       count(DISTINCT d.person) AS people, count(a.id) AS appointments
  FROM replay_finding f
  JOIN decision d ON d.ref = f.decision
  LEFT JOIN LATERAL unnest(f.reasons) AS reason (code) ON true
  LEFT JOIN appointment a
    ON a.person = d.person AND a.decision = d.ref AND a.status IN ('held', 'confirmed', 'checked_in')
 WHERE f.replay = :id
 GROUP BY 1, 2, 3, 4
 ORDER BY decisions DESC, 1, 2, 3, 4;

-- name: replay_findings
-- Every decision to look at, by its person's pseudonym, with the appointment that was booked with it, and the newest
-- override that overrules it.
SELECT encode(d.person, 'hex') AS person, d.ref AS decision, d.region, d.outcome AS before, f.outcome AS after,
       f.reasons, d.created_at AS decided_at, a.id AS appointment, a.status, s.starts_at, s.site,
       (SELECT o.id FROM override o
         WHERE o.overrules = d.ref AND EXISTS (SELECT FROM override_confirmation c WHERE c.override = o.id)
         ORDER BY o.made_at DESC LIMIT 1) AS override
  FROM replay_finding f
  JOIN decision d ON d.ref = f.decision
  LEFT JOIN appointment a
    ON a.person = d.person AND a.decision = d.ref AND a.status IN ('held', 'confirmed', 'checked_in')
  LEFT JOIN slot s ON s.id = a.slot
 WHERE f.replay = :id
 ORDER BY a.id IS NULL, d.created_at, d.ref;

-- name: decided_versions
-- The versions that decisions were made under, and how many.
SELECT rule_version AS version, count(*) AS decisions FROM decision
 WHERE programme = :programme AND override IS NULL GROUP BY 1 ORDER BY 1;
