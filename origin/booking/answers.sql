-- name: refuse_gone
-- Refuses those whose slot is gone and to whom nothing else is to be said, with an answer that they share.
SELECT place, answer
  FROM refuse_gone(:persons, :keys, :fingerprints, :programmes, :slots, :decisions, :admissions, :nows,
                   :gone, :granted, :answers, :bodies);

-- name: shared_answer^
-- What an answer is made from that many were given.
SELECT body FROM shared_answer WHERE id = :answer;

-- name: sweep_shared_answers!
-- Forgets shared answers that no key names any more: keys live as long from a later moment on, and are forgotten first.
DELETE FROM shared_answer
 WHERE NOT EXISTS (SELECT FROM idempotency WHERE created_at < :before)
   AND id IN (SELECT id FROM shared_answer WHERE created_at < :before - interval '1 hour' LIMIT :at_most);

-- name: remember_refusals
-- Keeps refusals as the answers to their keys; returns the answers that count.
SELECT place, body FROM remember_refusals(:persons, :keys, :fingerprints, :statuses, :bodies, :nows);

-- name: sweep_keys!
-- Forgets answers that are older than their published life, some at a time.
DELETE FROM idempotency
 WHERE (person, key) IN (SELECT person, key FROM idempotency WHERE created_at < :before LIMIT :at_most);
