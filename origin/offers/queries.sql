-- name: due
-- What the worker has to do something about: what waits, what was not answered in time, what lost the place that was held
-- for it, and what its person has changed. Whose slot begins first comes first, and of those who booked first.
SELECT d.id
  FROM displaced d
  JOIN appointment a ON a.id = d.appointment
  JOIN programme p ON p.id = a.programme
 WHERE d.state IN ('waiting', 'offered')
   AND (a.slot <> d.slot OR a.status NOT IN ('held', 'confirmed')
        OR p.frozen_since IS NULL AND d.state = 'waiting'
        OR d.state = 'offered' AND (d.until <= :now OR NOT EXISTS (SELECT FROM hold h WHERE h.id = d.hold)))
 ORDER BY d.starts_at, a.created_at, d.id
 LIMIT :at_most;

-- name: advance^
-- Does what is due, in one transaction; says what it is now, or null.
SELECT advance_displaced(:displaced, :hold, :now) AS state;

-- name: offers
-- A person's offers, and those of whom they booked for: open ones, and those that ended so lately that there is a way back.
SELECT d.id AS offer, d.appointment, d.state, d.until, c.reason, was.starts_at AS was_starts_at, was.ends_at AS was_ends_at,
       there.time_zone AS was_time_zone, there.name AS was_name,
       (SELECT r.admission FROM may_return(:person, a.id, :now) r) IS NOT NULL AS may_return,
       s.id, s.starts_at, s.ends_at, was.product, s.remaining, site.id AS site, site.name, site.address, site.town,
       site.lat, site.lng, site.time_zone, site.step_free, site.accessibility,
       earth_distance(ll_to_earth(site.lat, site.lng), ll_to_earth(there.lat, there.lng)) AS distance_m
  FROM displaced d
  JOIN appointment a ON a.id = d.appointment
  JOIN site_cancellation c ON c.id = d.cancellation
  JOIN slot was ON was.id = d.slot
  JOIN site there ON there.id = was.site
  JOIN programme p ON p.id = a.programme
  LEFT JOIN slot s ON s.id = d.offered
  LEFT JOIN site ON site.id = s.site
 WHERE (a.person = :person OR a.booked_by = :person)
   AND (:displaced::uuid IS NULL OR d.id = :displaced)
   AND (:appointment::uuid IS NULL OR a.id = :appointment)
   AND (d.state IN ('waiting', 'offered') OR d.changed_at > :now - p.return_within)
 ORDER BY d.state IN ('waiting', 'offered') DESC, was.starts_at, d.id;

-- name: accept^
-- Moves an appointment to the slot that was offered for it.
SELECT outcome, appointment FROM accept_offer(:person, :displaced, :slot, :now);

-- name: another^
-- Offers another slot in place of this one, where there is one.
SELECT ask_another(:person, :displaced, :slot, :hold, :now) AS outcome;

-- name: decline^
-- Cancels an appointment whose slot was cancelled.
SELECT decline_offer(:person, :displaced, :slot, :now) AS outcome;

-- name: way_back^
-- The admission with which a person may book again without the queue, and the room it is for; null, there is none.
SELECT admission, room FROM may_return(:person, :appointment, :now);
