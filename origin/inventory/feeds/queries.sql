-- name: feed_regions
-- The regions where a programme has slots: one index probe a site.
SELECT DISTINCT site.region
  FROM site
 WHERE EXISTS (
        SELECT FROM slot
         WHERE slot.site = site.id AND slot.starts_at >= :since AND slot.programme = :programme
       )
 ORDER BY site.region;

-- name: feed_sites
-- A region's sites where a programme has slots, in the order of `SiteFacts`.
SELECT site.id, site.region, site.name, site.address, site.town, site.postcode, site.phone, site.lat, site.lng,
       site.time_zone
  FROM site
 WHERE site.region = :region
   AND EXISTS (
        SELECT FROM slot
         WHERE slot.site = site.id AND slot.starts_at >= :since AND slot.programme = :programme
       )
 ORDER BY site.id;

-- name: feed_products
-- What a site offers, out of the index alone.
SELECT DISTINCT product
  FROM slot
 WHERE site = :site AND starts_at >= :since AND programme = :programme
 ORDER BY product;

-- name: feed_slots
-- A site's slots behind one of them, in the order of the unique index: a page costs the same wherever it begins. Columns
-- as in `SlotFacts`.
SELECT id, starts_at, ends_at, product, capacity, remaining
  FROM slot
 WHERE site = :site AND programme = :programme AND (starts_at, product) > (:starts_at, :product)
 ORDER BY starts_at, product
 LIMIT :at_most;

-- name: feed_frozen^
-- Whether nothing can be booked at a region's sites now.
SELECT programme.frozen_since IS NOT NULL OR EXISTS (
           SELECT FROM region_freeze f WHERE f.programme = programme.id AND f.region = :region
       ) AS frozen
  FROM programme
 WHERE programme.id = :programme;
