-- name: nearest
-- Slots with free places within a radius: nearest site first, then earliest, behind a position. Walks the sites outwards
-- by the gist index and, for each, its slots in time by the unique index; it stops when it has enough. Here as below, what
-- lies before an `OFFSET 0` is worked out once: put into each condition, the trigonometry would take half of the time.
SELECT s.id, s.starts_at, s.ends_at, s.product, s.remaining, near.distance_m, near.id AS site, near.name, near.address,
       near.town, near.lat, near.lng, near.time_zone, near.step_free, near.accessibility
  FROM (
        SELECT site.id, site.name, site.address, site.town, site.lat, site.lng, site.time_zone, site.step_free,
               site.accessibility, site.distance_m
          FROM (
                SELECT site.*, earth_distance(ll_to_earth(site.lat, site.lng), asked.here) AS distance_m
                  FROM (SELECT ll_to_earth(:lat, :lng) AS here, earth_box(ll_to_earth(:lat, :lng), :radius_m) AS box OFFSET 0) asked
                  JOIN site ON ll_to_earth(site.lat, site.lng) <@ asked.box
                 WHERE (site.step_free OR NOT :step_free)
                   AND site.accessibility @> :accessibility::text[]
                OFFSET 0
               ) site
         WHERE site.distance_m <= :radius_m AND site.distance_m >= :after_distance_m
         ORDER BY site.distance_m, site.id  -- sorted here, or every slot in the radius would be read and sorted below
       ) near
 CROSS JOIN LATERAL (
        SELECT slot.id, slot.starts_at, slot.ends_at, slot.product, slot.remaining
          FROM slot
         WHERE slot.site = near.id
           AND slot.starts_at >= :starts_from AND slot.starts_at < :starts_before
           AND slot.programme = :programme
           AND slot.remaining > 0
           AND (:products::text[] IS NULL OR slot.product = ANY (:products::text[]))
         ORDER BY slot.starts_at, slot.id
         LIMIT :per_site
       ) s
 WHERE (near.distance_m, near.id, s.starts_at, s.id) > (:after_distance_m, :after_site, :after_starts_at, :after_slot)
 ORDER BY near.distance_m, near.id, s.starts_at, s.id
 LIMIT :at_most;

-- name: first_available
-- Slots with free places within a radius: earliest first, then nearest, behind a position. The first few of each site, a page
-- of them together, bound what is read of all sites: nothing later than the last of those can be on the page.
WITH near AS MATERIALIZED (
    SELECT site.id, site.name, site.address, site.town, site.lat, site.lng, site.time_zone, site.step_free, site.accessibility,
           site.distance_m
      FROM (
            SELECT site.*, earth_distance(ll_to_earth(site.lat, site.lng), asked.here) AS distance_m
              FROM (SELECT ll_to_earth(:lat, :lng) AS here, earth_box(ll_to_earth(:lat, :lng), :radius_m) AS box OFFSET 0) asked
              JOIN site ON ll_to_earth(site.lat, site.lng) <@ asked.box
             WHERE (site.step_free OR NOT :step_free)
               AND site.accessibility @> :accessibility::text[]
            OFFSET 0
           ) site
     WHERE site.distance_m <= :radius_m
), bound AS MATERIALIZED (
    SELECT first.starts_at
      FROM near
     CROSS JOIN LATERAL (
            SELECT slot.starts_at
              FROM slot
             WHERE slot.site = near.id
               AND slot.starts_at >= :starts_from AND slot.starts_at < :starts_before AND slot.starts_at >= :after_starts_at
               AND slot.programme = :programme
               AND slot.remaining > 0
               AND (:products::text[] IS NULL OR slot.product = ANY (:products::text[]))
               AND (slot.starts_at, near.distance_m, near.id, slot.id)
                   > (:after_starts_at, :after_distance_m, :after_site, :after_slot)
             ORDER BY slot.starts_at
             LIMIT (SELECT (:at_most + count(*) - 1) / greatest(count(*), 1) FROM near)
           ) first
     ORDER BY first.starts_at
    OFFSET :at_most - 1
     LIMIT 1
)
SELECT s.id, s.starts_at, s.ends_at, s.product, s.remaining, near.distance_m, near.id AS site, near.name, near.address,
       near.town, near.lat, near.lng, near.time_zone, near.step_free, near.accessibility
  FROM near
 CROSS JOIN LATERAL (
        SELECT slot.id, slot.starts_at, slot.ends_at, slot.product, slot.remaining
          FROM slot
         WHERE slot.site = near.id
           AND slot.starts_at >= :starts_from AND slot.starts_at < :starts_before AND slot.starts_at >= :after_starts_at
           AND slot.starts_at <= coalesce((SELECT bound.starts_at FROM bound), 'infinity')
           AND slot.programme = :programme
           AND slot.remaining > 0
           AND (:products::text[] IS NULL OR slot.product = ANY (:products::text[]))
           AND (slot.starts_at, near.distance_m, near.id, slot.id)
               > (:after_starts_at, :after_distance_m, :after_site, :after_slot)
         ORDER BY slot.starts_at, slot.id
         LIMIT :at_most
       ) s
 ORDER BY s.starts_at, near.distance_m, near.id, s.id
 LIMIT :at_most;

-- name: days
-- Free places and sites with any, by day on the sites' own clocks. Of the nearest sites only, so that a wide circle over a
-- large city costs no more than a small one; one site more than is counted tells that there are others.
WITH near AS MATERIALIZED (
    SELECT site.id, site.time_zone, row_number() OVER (ORDER BY site.distance_m, site.id) AS nth
      FROM (
            SELECT site.id, site.time_zone, earth_distance(ll_to_earth(site.lat, site.lng), asked.here) AS distance_m
              FROM (SELECT ll_to_earth(:lat, :lng) AS here, earth_box(ll_to_earth(:lat, :lng), :radius_m) AS box OFFSET 0) asked
              JOIN site ON ll_to_earth(site.lat, site.lng) <@ asked.box
             WHERE (site.step_free OR NOT :step_free)
               AND site.accessibility @> :accessibility::text[]
            OFFSET 0
           ) site
     WHERE site.distance_m <= :radius_m
     ORDER BY nth
     LIMIT :sites + 1
), free AS (
    SELECT by_day.day, by_day.places
      FROM near
     CROSS JOIN LATERAL (
            SELECT (slot.starts_at AT TIME ZONE near.time_zone)::date AS day, sum(slot.remaining) AS places
              FROM slot
             WHERE slot.site = near.id
               AND slot.starts_at >= :starts_from AND slot.starts_at < :starts_before
               AND slot.programme = :programme
               AND slot.remaining > 0
               AND (:products::text[] IS NULL OR slot.product = ANY (:products::text[]))
             GROUP BY 1
           ) by_day
     WHERE near.nth <= :sites
       AND by_day.day >= :first_day AND by_day.day < :end_day
)
SELECT by_day.day, by_day.places, by_day.sites, (SELECT count(*) FROM near) > :sites AS more_sites
  FROM (VALUES (1)) AS always
  LEFT JOIN (
        SELECT free.day, sum(free.places)::bigint AS places, count(*) AS sites FROM free GROUP BY free.day
       ) by_day ON true
 ORDER BY by_day.day;
