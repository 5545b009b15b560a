-- name: book
-- Books many at once, each as if alone: one round trip, one commit. Ordered by the caller, so that batches lock slots in
-- the same order.
SELECT asked.position, booked.outcome, booked.answer
  FROM unnest(:persons::bytea[], :keys::text[], :fingerprints::bytea[], :programmes::text[], :slots::bigint[],
              :decisions::uuid[], :admissions::text[], :appointments::uuid[], :nows::timestamptz[])
       WITH ORDINALITY AS asked (person, key, fingerprint, programme, slot, decision, admission, appointment,
                                 now, position)
 CROSS JOIN LATERAL book(asked.person, asked.key, asked.fingerprint, asked.programme, asked.slot, asked.decision,
                         asked.admission, asked.appointment, asked.now) booked;

-- name: remember_refusal^
-- Keeps a refusal as the answer to its key; returns the answer that counts.
SELECT remember_refusal(:person, :key, :fingerprint, :status, :body, :now) AS body;

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
