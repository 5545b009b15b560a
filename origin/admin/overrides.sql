-- name: overruled^
-- The decision that somebody wants to overrule, with the rules that made it.
SELECT d.ref, d.programme, d.override, s.document
  FROM decision d JOIN ruleset s ON s.id = d.ruleset
 WHERE d.ref = :ref;

-- name: add_override!
-- An exception from a decision, for its person; made again under the same id, it changes nothing.
INSERT INTO override (id, programme, person, overrules, product, dose, author, made_by, reason, made_at, expires_at)
SELECT :id, programme, person, ref, :product, :dose, :author, :made_by, :reason, :now, :expires_at
  FROM decision WHERE ref = :ref
ON CONFLICT (id) DO NOTHING;

-- name: hold_override^
-- Waits for bookings that rest on it and for whoever else confirms or revokes it.
SELECT id FROM override WHERE id = :id FOR UPDATE;

-- name: override^
SELECT * FROM override_told WHERE id = :id;

-- name: overrides_in
-- The newest of a programme.
SELECT * FROM override_told WHERE programme = :programme ORDER BY made_at DESC, id LIMIT 100;

-- name: overrides_for
-- All that were made for a person in a programme, newest first.
SELECT * FROM override_told WHERE person = :person AND programme = :programme ORDER BY made_at DESC, id;

-- name: add_confirmation!
-- Somebody else confirms: constraints say so.
INSERT INTO override_confirmation (override, author, made_by, person, confirmer, confirmed_by, reason, at)
SELECT id, author, made_by, person, :confirmer, :confirmed_by, :reason, :now FROM override WHERE id = :id;

-- name: add_decision^
-- The decision that a confirmed override is. It needs no facts; whose they were and by which rules, the overruled one says.
INSERT INTO decision (ref, programme, region, person, outcome, rule_version, ruleset, evaluator, as_of, products, dose,
                      inputs_hash, branches, created_at, expires_at, override)
SELECT :ref, d.programme, d.region, d.person, 'eligible', d.rule_version, d.ruleset, 'override', :today,
       ARRAY[o.product], o.dose, d.inputs_hash, '[]', :now, o.expires_at, o.id
  FROM override o JOIN decision d ON d.ref = o.overrules
 WHERE o.id = :id
RETURNING *;

-- name: add_revocation!
-- Ends it for good.
INSERT INTO override_revocation (override, actor, reason, at) VALUES (:id, :actor, :reason, :now);
