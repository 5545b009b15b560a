-- name: book^
-- Books one: one round trip, one commit.
SELECT outcome, answer
  FROM book(:person, :key, :fingerprint, :programme, :slot, :decision, :admission, :appointment, :now);

-- name: book_group^
-- Books several appointments together, all or none.
SELECT outcome, answer, part
  FROM book_group(:booker, :key, :fingerprint, :programme, :admission, :persons::bytea[], :slots::bigint[],
                  :decisions::uuid[], :follows::smallint[], :appointments::uuid[], :now);

-- name: book_together
-- Books many at once, each as if alone: one round trip, one commit.
SELECT place, outcome, answer
  FROM book_together(:persons, :keys, :fingerprints, :programmes, :slots, :decisions, :admissions, :appointments, :nows);

-- name: cancel^
-- Cancels a person's appointment and frees its place.
SELECT cancel(:person, :appointment, :now) AS outcome;

-- name: reschedule^
-- Moves an appointment to another slot, once per key.
SELECT outcome, answer FROM reschedule(:person, :key, :fingerprint, :appointment, :slot, :now);

-- name: appointment^
-- An appointment with its slot and site, of its person or of whoever booked it for them; and, as long as the member is in
-- the household of whoever asks, for which member it is.
SELECT a.id, a.status, a.version, a.dose, a.created_at, s.id AS slot, s.starts_at, s.ends_at, s.product,
       site.id AS site, site.name, site.address, site.town, site.lat, site.lng, site.time_zone, site.step_free,
       member.id AS member
  FROM appointment a
  JOIN slot s ON s.id = a.slot
  JOIN site ON site.id = s.site
  LEFT JOIN household_member member ON member.holder = :person AND member.person = a.person
 WHERE a.id = :appointment AND :person IN (a.person, a.booked_by);

-- name: admission_used^
-- Whether an admission was consumed by a booking, also one that was cancelled since.
SELECT EXISTS (SELECT FROM appointment WHERE admission = :admission) AS used;

-- name: active_appointments
-- The appointments still to come that are a person's, or that they booked for others, soonest first.
SELECT a.id, a.status, a.version, a.dose, a.created_at, s.id AS slot, s.starts_at, s.ends_at, s.product,
       site.id AS site, site.name, site.address, site.town, site.lat, site.lng, site.time_zone, site.step_free,
       member.id AS member
  FROM appointment a
  JOIN slot s ON s.id = a.slot
  JOIN site ON site.id = s.site
  LEFT JOIN household_member member ON member.holder = :person AND member.person = a.person
 WHERE (a.person = :person OR a.booked_by = :person) AND a.status IN ('held', 'confirmed', 'checked_in') AND s.ends_at > :now
 ORDER BY s.starts_at;

-- name: booked_together
-- What was booked in one booking with an appointment, as the caller may see it, in the order of the booking.
SELECT a.id, a.status, a.version, a.dose, a.created_at, s.id AS slot, s.starts_at, s.ends_at, s.product,
       site.id AS site, site.name, site.address, site.town, site.lat, site.lng, site.time_zone, site.step_free,
       member.id AS member
  FROM appointment one
  JOIN appointment a ON a.admission = one.admission
  JOIN slot s ON s.id = a.slot
  JOIN site ON site.id = s.site
  LEFT JOIN household_member member ON member.holder = :person AND member.person = a.person
 WHERE one.id = :appointment AND :person IN (one.person, one.booked_by) AND :person IN (a.person, a.booked_by)
 ORDER BY a.part;
