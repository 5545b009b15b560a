-- name: create_programme!
-- Sets up a programme; an existing one of that id keeps everything but its name and decision lifetime.
INSERT INTO programme (id, name, room, decision_ttl)
VALUES (:id, :name, :room, :decision_ttl)
ON CONFLICT (id) DO UPDATE SET name = excluded.name, decision_ttl = excluded.decision_ttl;

-- name: all_programmes
-- Every programme, by the waiting room whose tokens admit to it.
SELECT id, name, room, decision_ttl, last_known_rules, waitlist FROM programme;

-- name: patience
-- Whoever freezes waits for the bookings under way, longer than a booking waits for anything.
SELECT set_config('lock_timeout', '4000', true);

-- name: lock_programme
-- Waits for bookings under way; no booking of the programme starts until this transaction ends.
SELECT pg_advisory_xact_lock(hashtext('programme'), hashtext(:programme));

-- name: programme_is_there^
-- Whether there is such a programme.
SELECT id FROM programme WHERE id = :programme;

-- name: regions
-- All regions, by name.
SELECT id, name FROM region ORDER BY name, id;

-- name: region_is_there^
-- Whether there is such a region.
SELECT id FROM region WHERE id = :region;

-- name: freeze_programme!
-- Frozen again, only the reason changes.
UPDATE programme SET frozen_since = coalesce(frozen_since, :now), frozen_reason = :reason WHERE id = :programme;

-- name: unfreeze_programme!
UPDATE programme SET frozen_since = NULL, frozen_reason = NULL WHERE id = :programme AND frozen_since IS NOT NULL;

-- name: choose_fallback!
-- What decides where the rules in force cannot be loaded.
UPDATE programme SET last_known_rules = :last_known WHERE id = :programme AND last_known_rules <> :last_known;

-- name: policies^
-- What a programme allows.
SELECT id, name, hold_lasts, change_until, moves_at_most, cancels_at_most, offer_lasts, offer_lead, offer_radius_km,
       offer_days, return_within, waitlist, waitlist_lasts
  FROM programme WHERE id = :programme;

-- name: lock_policies^
-- The same, for whoever is about to change it.
SELECT id, name, hold_lasts, change_until, moves_at_most, cancels_at_most, offer_lasts, offer_lead, offer_radius_km,
       offer_days, return_within, waitlist, waitlist_lasts
  FROM programme WHERE id = :programme
   FOR NO KEY UPDATE;

-- name: set_policies!
UPDATE programme
   SET hold_lasts = :hold_lasts, change_until = :change_until, moves_at_most = :moves_at_most,
       cancels_at_most = :cancels_at_most, offer_lasts = :offer_lasts, offer_lead = :offer_lead,
       offer_radius_km = :offer_radius_km, offer_days = :offer_days, return_within = :return_within,
       waitlist = :waitlist, waitlist_lasts = :waitlist_lasts
 WHERE id = :programme;

-- name: freeze_region!
-- Frozen again, only the reason changes.
INSERT INTO region_freeze (programme, region, since, reason) VALUES (:programme, :region, :now, :reason)
ON CONFLICT (programme, region) DO UPDATE SET reason = excluded.reason;

-- name: unfreeze_region!
DELETE FROM region_freeze WHERE programme = :programme AND region = :region;

-- name: add_freeze_event^
-- What was done, for ever.
INSERT INTO freeze_event (programme, region, act, at, actor, reason)
VALUES (:programme, :region, :act, :now, :actor, :reason)
RETURNING id;

-- name: freezes
-- Where a programme is frozen now; a null region is all of it.
SELECT NULL AS region, frozen_since AS since, frozen_reason AS reason FROM programme
 WHERE id = :programme AND frozen_since IS NOT NULL
UNION ALL
SELECT region, since, reason FROM region_freeze WHERE programme = :programme
 ORDER BY 1 NULLS FIRST;

-- name: add_audit!
-- The audit row of what an official did: the role, and a keyed hash for the name.
INSERT INTO audit_event (at, kind, programme, actor, person, about, details)
VALUES (:now, :kind, :programme, :role, :person, :about, :details);

-- name: time_zones
-- The clocks that sites go by, of a region or all; that of the most sites first.
SELECT time_zone FROM site WHERE :region::text IS NULL OR region = :region GROUP BY time_zone ORDER BY count(*) DESC, 1;
