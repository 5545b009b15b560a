-- name: adjacent
-- Where a party can be served together: a slot with room for all, or times at one site that follow each other without a gap.
-- Nearest site first, then earliest. Each start is looked at once, with at most as many slots behind it as there are people.
SELECT near.distance_m, near.id AS site, near.name, near.address, near.town, near.lat, near.lng, near.time_zone,
       near.step_free, run.slots, run.starts, run.ends, run.products, run.places
  FROM (
        SELECT site.id, site.name, site.address, site.town, site.lat, site.lng, site.time_zone, site.step_free,
               earth_distance(ll_to_earth(site.lat, site.lng), ll_to_earth(:lat, :lng)) AS distance_m
          FROM site
         WHERE ll_to_earth(site.lat, site.lng) <@ earth_box(ll_to_earth(:lat, :lng), :radius_m)
           AND earth_distance(ll_to_earth(site.lat, site.lng), ll_to_earth(:lat, :lng)) <= :radius_m
         ORDER BY distance_m, site.id
       ) near
 CROSS JOIN LATERAL (
        SELECT first.id, first.starts_at
          FROM slot first
         WHERE first.site = near.id
           AND first.starts_at >= :starts_from AND first.starts_at < :starts_before
           AND first.programme = :programme
           AND first.remaining > 0
           AND first.product = ANY (:products::text[])
         ORDER BY first.starts_at, first.id
         LIMIT :starts_per_site
       ) first
 CROSS JOIN LATERAL (
        SELECT array_agg(each.id ORDER BY each.starts_at, each.id) AS slots,
               array_agg(each.starts_at ORDER BY each.starts_at, each.id) AS starts,
               array_agg(each.ends_at ORDER BY each.starts_at, each.id) AS ends,
               array_agg(each.product ORDER BY each.starts_at, each.id) AS products,
               array_agg(least(each.remaining, :party - each.before) ORDER BY each.starts_at, each.id) AS places
          FROM (
                SELECT joined.*, bool_and(joined.follows) OVER (ORDER BY joined.starts_at, joined.id) AS unbroken
                  FROM (
                        SELECT behind.*,
                               coalesce(sum(behind.remaining) OVER earlier, 0)::integer AS before,
                               behind.starts_at <= coalesce(max(behind.ends_at) OVER earlier, behind.starts_at) AS follows
                          FROM (
                                SELECT slot.id, slot.starts_at, slot.ends_at, slot.product, slot.remaining
                                  FROM slot
                                 WHERE slot.site = near.id
                                   AND slot.starts_at >= first.starts_at
                                   AND (slot.starts_at, slot.id) >= (first.starts_at, first.id)
                                   AND slot.programme = :programme
                                   AND slot.remaining > 0
                                   AND slot.product = ANY (:products::text[])
                                 ORDER BY slot.starts_at, slot.id
                                 LIMIT :party
                               ) behind
                        WINDOW earlier AS (ORDER BY behind.starts_at, behind.id
                                           ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
                       ) joined
               ) each
         WHERE each.unbroken AND each.before < :party
        HAVING sum(each.remaining) >= :party
       ) run
 ORDER BY near.distance_m, near.id, first.starts_at, first.id
 LIMIT :at_most;
