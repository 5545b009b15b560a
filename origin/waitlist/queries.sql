-- name: join^
-- Joins the waitlist.
SELECT join_waitlist(:entry, :programme, :person, :admission, :decision, :site, :lat, :lng, :radius_km, :starts_from,
                     :starts_before, :now) AS outcome;

-- name: entries
-- A person's entries: open ones, and those that ended in the last thirty days.
SELECT e.id AS entry, e.programme, e.state, e.site AS wished_site, e.lat AS wished_lat, e.lng AS wished_lng, e.radius_km,
       e.starts_from, e.starts_before, e.created_at, e.until, e.admission, p.room, wished.name AS wished_name,
       s.id, s.starts_at, s.ends_at, s.product, s.remaining, site.id AS site, site.name, site.address, site.town, site.lat,
       site.lng, site.time_zone, site.step_free, site.accessibility,
       coalesce(earth_distance(ll_to_earth(site.lat, site.lng), ll_to_earth(e.lat, e.lng)), 0) AS distance_m
  FROM waitlist_entry e
  JOIN programme p ON p.id = e.programme
  LEFT JOIN site wished ON wished.id = e.site
  LEFT JOIN slot s ON s.id = e.offered AND e.state = 'offered' AND e.until > :now
  LEFT JOIN site ON site.id = s.site
 WHERE e.person = :person
   AND (:entry::uuid IS NULL OR e.id = :entry)
   AND (e.state IN ('waiting', 'offered') OR e.changed_at > :now - interval '30 days')
 ORDER BY e.state IN ('waiting', 'offered') DESC, e.created_at DESC, e.id;

-- name: is_own^
-- Whether an entry is a person's.
SELECT id FROM waitlist_entry WHERE id = :entry AND person = :person;

-- name: settle^
-- Ends an entry or its offer, where that is due or wished.
SELECT settle_entry(:entry, :leave, :now) AS state;

-- name: due
-- Entries to be settled: booked, missed, or over.
SELECT e.id FROM waitlist_entry e
 WHERE e.state IN ('waiting', 'offered')
   AND (e.starts_before <= :now AND e.state = 'waiting'
        OR e.state = 'offered' AND (e.until <= :now OR NOT EXISTS (SELECT FROM hold h WHERE h.id = e.hold))
        OR EXISTS (SELECT FROM appointment a
                    WHERE a.programme = e.programme AND a.person = e.person
                      AND (a.admission = e.admission
                           OR a.dose = e.dose AND a.status IN ('held', 'confirmed', 'checked_in'))))
 ORDER BY e.created_at, e.id
 LIMIT :at_most;

-- name: lead^
-- Whether this session may offer places: one at a time, or who came later could be served before.
SELECT pg_try_advisory_lock(hashtext('waitlist'), 0) AS leads;

-- name: follow^
SELECT pg_advisory_unlock(hashtext('waitlist'), 0);

-- name: programmes
-- Programmes in which somebody waits, and places can be offered.
SELECT p.id AS programme FROM programme p
 WHERE p.frozen_since IS NULL
   AND EXISTS (SELECT FROM waitlist_entry e WHERE e.programme = p.id AND e.state = 'waiting')
 ORDER BY p.id;

-- name: wanted
-- Who wants what is free: who has waited longest first, with the soonest slot. Reads every slot of the programme, for no
-- index holds `remaining`; from those that are free it goes to who waits for them, never from everybody who waits to slots.
WITH free AS MATERIALIZED (
    SELECT s.id, s.starts_at, s AS slot
      FROM slot s JOIN site ON site.id = s.site
     WHERE s.programme = :programme AND s.remaining > 0 AND s.starts_at >= :now::timestamptz + interval '1 hour'
       AND NOT EXISTS (SELECT FROM region_freeze f WHERE f.programme = :programme AND f.region = site.region)
       AND s.site IN (SELECT DISTINCT w.site FROM waitlist_site w)
       AND EXISTS (SELECT FROM (SELECT w.entry FROM waitlist_site w WHERE w.site = s.site OFFSET 0) here  -- first these
                     JOIN waitlist_entry e ON e.id = here.entry
                    WHERE is_wished(e, s))
     ORDER BY s.starts_at, s.id
     LIMIT :at_most
)
SELECT longest.id AS entry, free.id AS slot
  FROM free
 CROSS JOIN LATERAL (
        SELECT e.id, e.created_at
          FROM waitlist_site w JOIN waitlist_entry e ON e.id = w.entry
         WHERE w.site = (free.slot).site AND is_wished(e, free.slot)
           AND NOT EXISTS (SELECT FROM hold h WHERE h.person = e.person AND h.slot = free.id)
         ORDER BY e.created_at, e.id
         LIMIT :at_most
       ) longest
 ORDER BY longest.created_at, longest.id, free.starts_at, free.id;

-- name: offer^
-- Holds a place for somebody who waits.
SELECT offer_entry(:entry, :slot, :hold, :now) AS offered;
