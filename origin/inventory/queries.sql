-- name: alternatives
-- Free slots of the products a person may have, near a slot that is gone: at its own site and around, close in time.
SELECT s.id, s.starts_at, s.ends_at, s.product, s.remaining, near.distance_m,
       near.id AS site, near.name, near.address, near.town, near.lat, near.lng, near.time_zone, near.step_free,
       near.accessibility
  FROM (SELECT slot.starts_at, slot.programme, site.lat, site.lng
          FROM slot JOIN site ON site.id = slot.site
         WHERE slot.id = :slot) wanted
 CROSS JOIN LATERAL (
        SELECT site.id, site.name, site.address, site.town, site.lat, site.lng, site.time_zone, site.step_free,
               site.accessibility,
               earth_distance(ll_to_earth(site.lat, site.lng), ll_to_earth(wanted.lat, wanted.lng)) AS distance_m
          FROM site
         WHERE ll_to_earth(site.lat, site.lng) <@ earth_box(ll_to_earth(wanted.lat, wanted.lng), :radius_m)
         ORDER BY distance_m, site.id
         LIMIT :sites
       ) near
 CROSS JOIN LATERAL (
        SELECT slot.id, slot.starts_at, slot.ends_at, slot.product, slot.remaining
          FROM slot
         WHERE slot.site = near.id
           AND slot.starts_at > greatest(:now, wanted.starts_at - interval '3 days')
           AND slot.starts_at < wanted.starts_at + interval '4 days'
           AND slot.programme = wanted.programme
           AND slot.remaining > 0
           AND slot.product = ANY (:products::text[])
         ORDER BY abs(extract(epoch FROM slot.starts_at - wanted.starts_at)), slot.id
         LIMIT :per_site
       ) s
 ORDER BY near.distance_m, near.id, abs(extract(epoch FROM s.starts_at - wanted.starts_at)), s.id
 LIMIT :at_most;

-- name: slot_facts^
-- One slot with its site, for a page that asks to confirm it.
SELECT s.id, s.starts_at, s.ends_at, s.product, s.remaining, 0::float8 AS distance_m,
       site.id AS site, site.name, site.address, site.town, site.lat, site.lng, site.time_zone, site.step_free,
       site.accessibility
  FROM slot s JOIN site ON site.id = s.site
 WHERE s.id = :slot AND s.programme = :programme;

-- name: next_site_id^
-- Lets generated ids go on behind imported ones.
SELECT setval(pg_get_serial_sequence('site', 'id'), greatest((SELECT max(id) FROM site), 1)) AS at;

-- name: refresh_statistics#
-- After an import the planner must know how much there is.
ANALYZE site, slot;
