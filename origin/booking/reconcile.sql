-- name: reconcile
-- What does not add up among so many slots behind :after, in their order: `remaining` is the capacity less the appointments
-- that are not cancelled, less the holds. One snapshot, and no lock: bookings go on meanwhile. The last row has the last slot
-- that was looked at, with no figures; no row at all, there are none behind :after.
WITH looked_at AS MATERIALIZED (
    SELECT id, capacity, remaining FROM slot WHERE id > :after ORDER BY id LIMIT :at_most
), counted AS (
    SELECT s.id, s.capacity, s.remaining,
           (SELECT count(*) FROM appointment a WHERE a.slot = s.id AND a.status <> 'cancelled')::integer AS appointments,
           (SELECT count(*) FROM hold h WHERE h.slot = s.id)::integer AS holds
      FROM looked_at s
)
SELECT id, capacity, remaining, appointments, holds
  FROM counted
 WHERE remaining <> capacity - appointments - holds
 UNION ALL
(SELECT id, NULL, NULL, NULL, NULL FROM looked_at ORDER BY id DESC LIMIT 1);
