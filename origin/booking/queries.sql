-- name: book^
-- Books one: one round trip, one commit.
SELECT outcome, answer
  FROM book(:person, :key, :fingerprint, :programme, :slot, :decision, :admission, :appointment, :now);

-- name: book_together
-- Books many at once, each as if alone: one round trip, one commit.
SELECT place, outcome, answer
  FROM book_together(:persons, :keys, :fingerprints, :programmes, :slots, :decisions, :admissions, :appointments, :nows);

-- name: remember_refusals
-- Keeps refusals as the answers to their keys; returns the answers that count.
SELECT place, body FROM remember_refusals(:persons, :keys, :fingerprints, :statuses, :bodies, :nows);

-- name: cancel^
-- Cancels a person's appointment and frees its place.
SELECT cancel(:person, :appointment, :now) AS outcome;

-- name: reschedule^
-- Moves an appointment to another slot, once per key.
SELECT outcome, answer FROM reschedule(:person, :key, :fingerprint, :appointment, :slot, :now);

-- name: appointment^
-- An appointment of a person, or that they booked for another, with its slot and site.
SELECT a.id, a.status, a.version, a.dose, a.created_at, s.id AS slot, s.starts_at, s.ends_at, s.product,
       site.id AS site, site.name, site.address, site.town, site.lat, site.lng, site.time_zone, site.step_free
  FROM appointment a
  JOIN slot s ON s.id = a.slot
  JOIN site ON site.id = s.site
 WHERE a.id = :appointment AND :person IN (a.person, a.booked_by);

-- name: admission_used^
-- Whether an admission was consumed by a booking, also one that was cancelled since.
SELECT EXISTS (SELECT FROM appointment WHERE admission = :admission) AS used;

-- name: active_appointments
-- A person's appointments that are still to come, soonest first.
SELECT a.id, a.status, a.version, a.dose, a.created_at, s.id AS slot, s.starts_at, s.ends_at, s.product,
       site.id AS site, site.name, site.address, site.town, site.lat, site.lng, site.time_zone, site.step_free
  FROM appointment a
  JOIN slot s ON s.id = a.slot
  JOIN site ON site.id = s.site
 WHERE a.person = :person AND a.status IN ('held', 'confirmed', 'checked_in') AND s.ends_at > :now
 ORDER BY s.starts_at;

-- name: sweep_keys!
-- Forgets answers that are older than their published life, some at a time.
DELETE FROM idempotency
 WHERE (person, key) IN (SELECT person, key FROM idempotency WHERE created_at < :before LIMIT :at_most);
