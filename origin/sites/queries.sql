-- name: site^
-- A site by the code that its staff know.
SELECT id, code, name, town, time_zone FROM site WHERE code = :code;

-- name: slots_to_cancel
-- The slots that would be cancelled: one, or all that begin in a window; none that has begun or is cancelled already.
SELECT s.id FROM slot s
 WHERE s.site = :site AND s.starts_at > :now AND s.cancellation IS NULL
   AND CASE WHEN :slot::bigint IS NULL THEN s.starts_at >= :starts_from AND s.starts_at < :starts_before
            ELSE s.id = :slot END
 ORDER BY s.starts_at, s.id;

-- name: people_in
-- The appointments in slots that still stand, by time.
SELECT a.id, s.starts_at, s.product
  FROM appointment a JOIN slot s ON s.id = a.slot
 WHERE s.id = ANY (:slots::bigint[]) AND a.status IN ('held', 'confirmed')
 ORDER BY s.starts_at, a.id;

-- name: patience
-- Whoever cancels slots waits for the bookings under way, longer than a booking waits for anything.
SELECT set_config('lock_timeout', '4000', true);

-- name: cancel_slots^
-- Cancels slots and puts everybody in them before the worker.
SELECT slots, people
  FROM cancel_slots(:cancellation, :site, :slot, :starts_from, :starts_before, :reason, :actor, :role, :person, :now);

-- name: reopen_slots^
-- Opens cancelled slots again, unless somebody in them is still promised another time.
SELECT slots, people
  FROM reopen_slots(:reopening, :site, :slot, :starts_from, :starts_before, :places, :reason, :actor, :role, :person, :now);

-- name: reopenings
-- What a site has opened again, newest first; one of it, where it is asked for.
SELECT id, first, last, slots, places, reason, actor, at FROM site_reopening
 WHERE site = :site AND (:reopening::uuid IS NULL OR id = :reopening)
 ORDER BY at DESC, id
 LIMIT 100;

-- name: start_of_slot^
-- When a slot of the site begins.
SELECT starts_at FROM slot WHERE id = :slot AND site = :site;

-- name: cancellations
-- What a site has cancelled, newest first, and how far its people are; one of it, where it is asked for.
SELECT c.id, c.first, c.last, c.slots, c.people, c.reason, c.actor, c.at,
       (SELECT count(*) FROM cancelled_slot s WHERE s.cancellation = c.id AND s.reopening IS NOT NULL) AS reopened,
       count(*) FILTER (WHERE d.state = 'waiting') AS waiting,
       count(*) FILTER (WHERE d.state = 'offered') AS offered,
       count(*) FILTER (WHERE d.state = 'accepted') AS accepted,
       count(*) FILTER (WHERE d.state = 'left') AS "left",
       count(*) FILTER (WHERE d.state = 'declined') AS declined,
       count(*) FILTER (WHERE d.state = 'lapsed') AS lapsed,
       count(*) FILTER (WHERE d.state = 'none_found') AS none_found
  FROM site_cancellation c LEFT JOIN displaced d ON d.cancellation = c.id
 WHERE c.site = :site AND (:cancellation::uuid IS NULL OR c.id = :cancellation)
 GROUP BY c.id
 ORDER BY c.at DESC, c.id
 LIMIT 100;

-- name: day
-- A site's slots that begin in a window, each with who is in it; by time, and by the code that people show.
SELECT s.id AS slot, s.starts_at, s.ends_at, s.product, s.capacity, s.remaining,
       s.cancellation IS NOT NULL AS is_cancelled, a.id, a.status, a.dose
  FROM slot s LEFT JOIN appointment a ON a.slot = s.id AND a.status <> 'cancelled'
 WHERE s.site = :site AND s.starts_at >= :starts_from AND s.starts_at < :starts_before
 ORDER BY s.starts_at, s.id, right(a.id::text, 8);

-- name: past_day
-- The same of a day that is over: slots that are in the archive by now, too.
SELECT s.id AS slot, s.starts_at, s.ends_at, s.product, s.capacity, s.remaining,
       s.cancellation IS NOT NULL AS is_cancelled, a.id, a.status, a.dose
  FROM every_slot s LEFT JOIN appointment a ON a.slot = s.id AND a.status <> 'cancelled'
 WHERE s.site = :site AND s.starts_at >= :starts_from AND s.starts_at < :starts_before
 ORDER BY s.starts_at, s.id, right(a.id::text, 8);

-- name: mark^
-- Marks an appointment as staff see it.
SELECT mark_appointment(:site, :appointment, :status, :role, :staff, :now) AS outcome;

-- name: programme_of_slot^
-- The programme of a slot of the site, and its room.
SELECT p.id, p.room FROM slot s JOIN programme p ON p.id = s.programme WHERE s.id = :slot AND s.site = :site;

-- name: walk_in^
-- Books a place for somebody who came without admission.
SELECT outcome, answer
  FROM book_walk_in(:site, :staff, :role, :key, :fingerprint, :person, :slot, :decision, :appointment, :now);
