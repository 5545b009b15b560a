-- migrate:up

-- Answers that many got alike: a herd that wants one slot is refused with one text. The answer under a key then names it:
-- '{"kept":"shared","answer":"<id>"}'. It lives longer than the keys that name it; no reference is enforced, as that would
-- lock this one row for each of the herd.
CREATE TABLE shared_answer (
    id         uuid PRIMARY KEY,
    body       text NOT NULL,            -- JSON, as in `idempotency`
    created_at timestamptz NOT NULL
);
CREATE INDEX shared_answer_age ON shared_answer (created_at);

-- Refuses those of the sent attempts that `book` would refuse because their slot is gone and for no other reason, and keeps
-- the refusal as the answer to their keys; whoever is not returned must be sent to `book`, and nothing was done for them.
-- place: which attempt, from 1. p_gone, p_granted, p_answers: the slots that were lately found gone, for which products
-- (JSON, as `book` tells them), and the shared answer for those; p_bodies: its text, where it is not kept yet.
--
-- What is looked up is looked up by its key, whatever the planner takes the tables for (OFFSET 0 keeps each look-up one): a
-- plan may have been made while they were empty.
--
-- Nothing is locked, as nothing is taken: that no place is free is seen after the attempt was sent. Whoever books under the
-- same key at this moment is waited for, or has to try again and is then told of the refusal. A crash may forget refusals:
-- they do not wait for the disk.
CREATE FUNCTION refuse_gone(
    p_persons bytea[], p_keys text[], p_fingerprints bytea[], p_programmes text[], p_slots bigint[], p_decisions uuid[],
    p_admissions text[], p_nows timestamptz[], p_gone bigint[], p_granted text[], p_answers uuid[], p_bodies text[]
) RETURNS TABLE (place bigint, answer uuid) LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);  -- until the commit, which comes after this function's end
    IF p_bodies <> '{}' THEN
        INSERT INTO shared_answer (id, body, created_at)
        SELECT told.id, told.body, p_nows[1] FROM unnest(p_answers, p_bodies) AS told (id, body)
         WHERE told.body IS NOT NULL
            ON CONFLICT DO NOTHING;
    END IF;

    RETURN QUERY
    WITH gone AS MATERIALIZED (
        SELECT s.*, p.last_known_rules, told.granted, told.answer
          FROM unnest(p_gone, p_granted, p_answers) AS told (slot, granted, answer)
         CROSS JOIN LATERAL (
                   SELECT s.id, s.programme, s.product, s.starts_at FROM slot s
                    WHERE s.id = told.slot AND s.remaining = 0 OFFSET 0) s
         CROSS JOIN LATERAL (
                   SELECT p.last_known_rules FROM programme p
                    WHERE p.id = s.programme AND p.frozen_since IS NULL OFFSET 0) p
         WHERE NOT EXISTS (SELECT FROM region_freeze z WHERE z.programme = s.programme OFFSET 0)
           AND NOT EXISTS (SELECT FROM course c WHERE c.programme = s.programme AND NOT c.first_alone OFFSET 0)
           AND NOT EXISTS (
                   SELECT FROM hold h WHERE h.slot = s.id AND h.expires_at <= p_nows[cardinality(p_nows)] OFFSET 0)
    ), decided AS MATERIALIZED (
        SELECT a.*, gone.answer, d.region,
               CASE WHEN gone.last_known_rules THEN coalesce(d.stands_for, d.rule_version) ELSE d.rule_version END
                   AS version
          FROM unnest(p_persons, p_keys, p_fingerprints, p_programmes, p_slots, p_decisions, p_admissions, p_nows)
               WITH ORDINALITY AS a (person, key, fingerprint, programme, slot, decision, admission, now, place)
         CROSS JOIN LATERAL (
                   SELECT d.region, d.dose, d.products, d.stands_for, d.rule_version FROM decision d
                    WHERE d.ref = a.decision AND d.person = a.person AND d.programme = a.programme
                      AND d.override IS NULL AND d.expires_at > a.now OFFSET 0) d
          JOIN gone ON gone.id = a.slot AND gone.programme = a.programme AND gone.starts_at > a.now
                AND gone.product = ANY (d.products) AND gone.granted = to_json(d.products)::text
         WHERE NOT EXISTS (SELECT FROM hold h WHERE h.person = a.person AND h.slot = a.slot OFFSET 0)
           AND NOT EXISTS (SELECT FROM appointment used WHERE used.admission = a.admission AND used.part = 1 OFFSET 0)
           AND NOT EXISTS (
                   SELECT FROM appointment active
                    WHERE active.programme = a.programme AND active.person = a.person AND active.dose = d.dose
                      AND active.status IN ('held', 'confirmed', 'checked_in') OFFSET 0)
    ), in_force AS MATERIALIZED (
        SELECT scope.programme, scope.region, version_in_force(scope.programme, scope.region) AS version
          FROM (SELECT DISTINCT decided.programme, decided.region FROM decided) scope
    ), refused AS MATERIALIZED (
        SELECT a.*
          FROM decided a
          JOIN in_force f ON f.programme = a.programme AND f.region IS NOT DISTINCT FROM a.region AND f.version = a.version
    ), kept AS (
        INSERT INTO idempotency (person, key, fingerprint, status, body, created_at)
        SELECT a.person, a.key, a.fingerprint, 409, '{"kept":"shared","answer":"' || a.answer || '"}', a.now
          FROM refused a ORDER BY a.person, a.key
            ON CONFLICT DO NOTHING
        RETURNING idempotency.person, idempotency.key, idempotency.fingerprint
    )
    SELECT a.place, a.answer
      FROM refused a JOIN kept ON kept.person = a.person AND kept.key = a.key AND kept.fingerprint = a.fingerprint;
END
$$;

-- migrate:down
-- Answers that name a shared one could not be read by the older software; each was a refusal, so nothing is lost with them.
DELETE FROM idempotency WHERE body LIKE '{"kept":"shared"%';
DROP FUNCTION refuse_gone;
DROP TABLE shared_answer;
