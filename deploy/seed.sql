-- name: demo_is_there(programme)^
-- Whether the programme exists, and whether anybody's supply does.
SELECT EXISTS (SELECT FROM programme WHERE id = :programme) AS programme, EXISTS (SELECT FROM region) AS supply;

-- name: last_slots(programme)
-- The sites of a programme, each with the start of its last slot, which may be in the archive: one index probe a site, and
-- one a partition.
SELECT site.id, site.time_zone, last.starts_at
  FROM site
 CROSS JOIN LATERAL (
        SELECT greatest(
                   (SELECT max(starts_at) FROM slot s WHERE s.site = site.id AND programme = :programme),
                   (SELECT max(starts_at) FROM slot_archive a WHERE a.site = site.id AND programme = :programme)
               ) AS starts_at
       ) last
 WHERE last.starts_at IS NOT NULL;

-- name: without_postcode
-- Sites of a demo that was seeded before sites had postal codes.
SELECT id FROM site WHERE postcode = '' AND id <= :most ORDER BY id;

-- name: set_postcodes!
-- One for each of those that is still what the demo made of it.
UPDATE site SET postcode = given.code
  FROM unnest(:sites::bigint[], :names::text[], :codes::text[]) AS given (site, name, code)
 WHERE site.id = given.site AND site.name = given.name;

-- name: add_towns!
-- Towns of the gazetteer that it does not have.
INSERT INTO gazetteer (country, region, name, lat, lng, time_zone, population)
SELECT 'ES', given.*
  FROM unnest(:regions::text[], :names::text[], :lats::float8[], :lngs::float8[], :time_zones::text[], :populations::int[])
       AS given (region, name, lat, lng, time_zone, population)
  JOIN region ON region.id = given.region
    ON CONFLICT DO NOTHING;

-- name: gazetteer_is_there^
-- Whether the gazetteer has anything.
SELECT EXISTS (SELECT FROM gazetteer) AS there;

-- name: add_course!
-- A second dose.
INSERT INTO course (programme, product, dose, days_min, days_max)
VALUES (:programme, :product, :dose, :days_min, :days_max);
