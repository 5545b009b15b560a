-- name: courses
-- The courses of a programme.
SELECT product, dose, days_min, days_max, first_alone FROM course WHERE programme = :programme ORDER BY product, dose;

-- name: set_course^
-- Sets what follows a dose; no row where it is so already.
INSERT INTO course AS c (programme, product, dose, days_min, days_max, first_alone)
VALUES (:programme, :product, :dose, :days_min, :days_max, :first_alone)
ON CONFLICT (programme, product, dose) DO UPDATE
   SET days_min = excluded.days_min, days_max = excluded.days_max, first_alone = excluded.first_alone
 WHERE (c.days_min, c.days_max, c.first_alone) <> (excluded.days_min, excluded.days_max, excluded.first_alone)
RETURNING product;

-- name: remove_course!
-- Nothing follows a dose any more.
DELETE FROM course WHERE programme = :programme AND product = :product AND dose = :dose;

-- name: course_behind^
-- What follows a dose of a slot's product, with the first and the last day that it may be given on, on the clock of the
-- slot's site.
SELECT c.product, c.dose, c.days_min, c.days_max, c.first_alone,
       (s.starts_at AT TIME ZONE site.time_zone)::date + c.days_min AS first_day,
       (s.starts_at AT TIME ZONE site.time_zone)::date + c.days_max AS last_day
  FROM slot s
  JOIN site ON site.id = s.site
  JOIN course c ON c.programme = s.programme AND c.product = s.product
 WHERE s.id = :slot AND s.programme = :programme AND c.dose = :dose;

-- name: next_doses
-- Free slots for the dose behind that of a slot, inside the interval: its own site first, then the nearest, then earliest.
-- Days are counted on each site's own clock, as `interval_kept` does; the times before narrow what is read, with room for
-- the furthest clocks.
SELECT s.id, s.starts_at, s.ends_at, s.product, s.remaining, near.distance_m,
       near.id AS site, near.name, near.address, near.town, near.lat, near.lng, near.time_zone, near.step_free,
       near.accessibility
  FROM (SELECT slot.starts_at, slot.programme, slot.product, site.lat, site.lng, site.time_zone, c.days_min, c.days_max
          FROM slot
          JOIN site ON site.id = slot.site
          JOIN course c ON c.programme = slot.programme AND c.product = slot.product AND c.dose = :dose
         WHERE slot.id = :slot AND slot.programme = :programme) first
 CROSS JOIN LATERAL (
        SELECT site.id, site.name, site.address, site.town, site.lat, site.lng, site.time_zone, site.step_free,
               site.accessibility,
               earth_distance(ll_to_earth(site.lat, site.lng), ll_to_earth(first.lat, first.lng)) AS distance_m
          FROM site
         WHERE ll_to_earth(site.lat, site.lng) <@ earth_box(ll_to_earth(first.lat, first.lng), :radius_m)
         ORDER BY distance_m, site.id
         LIMIT :sites
       ) near
 CROSS JOIN LATERAL (
        SELECT free.id, free.starts_at, free.ends_at, free.product, free.remaining
          FROM (
                SELECT slot.id, slot.starts_at, slot.ends_at, slot.product, slot.remaining,
                       row_number() OVER (PARTITION BY (slot.starts_at AT TIME ZONE near.time_zone)::date
                                          ORDER BY slot.starts_at, slot.id) AS nth
                  FROM slot
                 WHERE slot.site = near.id
                   AND slot.starts_at > greatest(:now, first.starts_at + (first.days_min - 2) * interval '24 hours')
                   AND slot.starts_at < first.starts_at + (first.days_max + 2) * interval '24 hours'
                   AND (slot.starts_at AT TIME ZONE near.time_zone)::date
                       - (first.starts_at AT TIME ZONE first.time_zone)::date BETWEEN first.days_min AND first.days_max
                   AND slot.programme = first.programme
                   AND slot.product = first.product
                   AND slot.remaining > 0
               ) free
         WHERE free.nth <= :per_day
         ORDER BY free.starts_at, free.id
         LIMIT :per_site
       ) s
 ORDER BY near.distance_m, near.id, s.starts_at, s.id
 LIMIT :at_most;

-- name: in_interval
-- Those of some slots that lie inside the interval before a slot of the next dose.
SELECT asked.id FROM unnest(:slots::bigint[]) AS asked (id)
 WHERE interval_kept(:programme, :dose, asked.id, :next);

-- name: dose_of^
-- The dose that a decision grants.
SELECT dose FROM decision WHERE ref = :decision;
