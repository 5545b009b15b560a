-- name: hold_gazetteer^
-- One file at a time, for as long as the session lives; false when another one is under way.
SELECT pg_try_advisory_lock(hashtext('gazetteer import')) AS mine;

-- name: let_gazetteer_go^
SELECT pg_advisory_unlock(hashtext('gazetteer import')) AS done;

-- name: regions
SELECT id FROM region;

-- name: zones_of_sites
-- Where in each region which time zone is, by its sites.
SELECT region, round(lat::numeric, 1)::float8 AS lat, round(lng::numeric, 1)::float8 AS lng, min(time_zone) AS time_zone
  FROM site
 GROUP BY 1, 2, 3
 ORDER BY 1, 2, 3;

-- name: stage#
-- Tables of this session alone; they go with it, whatever happens. `n` counts what comes.
CREATE TEMP TABLE IF NOT EXISTS staged_place (
    country text, region text, part text, name text, postcode text, lat float8, lng float8, time_zone text, population integer
);
CREATE TEMP TABLE IF NOT EXISTS wanted_town (
    country text, region text, name text, lat float8, lng float8, time_zone text, population integer, n bigint
);
CREATE TEMP TABLE IF NOT EXISTS wanted_postcode (
    country text, region text, postcode text, lat float8, lng float8, time_zone text, n bigint
);
CREATE TEMP TABLE IF NOT EXISTS old_town (id bigint PRIMARY KEY);
CREATE TEMP TABLE IF NOT EXISTS old_postcode (id bigint PRIMARY KEY);
CREATE INDEX IF NOT EXISTS wanted_town_n ON wanted_town (n);
CREATE INDEX IF NOT EXISTS wanted_postcode_n ON wanted_postcode (n);
TRUNCATE staged_place, wanted_town, wanted_postcode, old_town, old_postcode;
SET work_mem = '64MB';

-- name: staged#
ANALYZE staged_place;

-- name: countries^
-- The countries of the rows that came.
SELECT coalesce(array_agg(DISTINCT country ORDER BY country), '{}') AS countries FROM staged_place;

-- name: want_towns!
-- The towns of the rows. Rows of one name in one part of a region are one town: it has the largest population that they say,
-- and lies in the middle of the rows that say so. Where none says any, the more postal codes it has the larger it counts.
-- In numbers that add up the same in whatever order; to a metre.
INSERT INTO wanted_town (country, region, name, lat, lng, time_zone, population)
WITH told AS (
    SELECT *, max(population) OVER (PARTITION BY country, region, part, name) AS most FROM staged_place WHERE name <> ''
), town AS (
    SELECT country, region, part, name, round(avg(lat::numeric), 5)::float8 AS lat,
           CASE WHEN max(lng) - min(lng) > 180 THEN min(lng) ELSE round(avg(lng::numeric), 5)::float8 END AS lng,
           min(time_zone) AS time_zone, coalesce(max(population), count(DISTINCT postcode) FILTER (WHERE postcode <> '')) AS population
      FROM told
     WHERE population IS NOT DISTINCT FROM most
     GROUP BY country, region, part, name
)
SELECT country, region, name, lat, lng, min(time_zone), max(population)
  FROM town
 GROUP BY country, region, name, lat, lng;

-- name: want_postcodes!
-- The postal codes of the rows, each in the middle of them.
INSERT INTO wanted_postcode (country, region, postcode, lat, lng, time_zone)
SELECT country, region, postcode, round(avg(lat::numeric), 5)::float8,
       CASE WHEN max(lng) - min(lng) > 180 THEN min(lng) ELSE round(avg(lng::numeric), 5)::float8 END, min(time_zone)
  FROM staged_place
 WHERE postcode <> ''
 GROUP BY country, region, postcode;

-- name: wanted#
ANALYZE wanted_town, wanted_postcode;

-- name: new_towns!
-- Counts the towns that are not there.
WITH new AS (
    SELECT w.ctid AS at, row_number() OVER (ORDER BY w.country, w.region, w.name, w.lat, w.lng) AS n
      FROM wanted_town w
     WHERE NOT EXISTS (
           SELECT FROM gazetteer g
            WHERE (g.country, g.region, g.name, g.lat, g.lng, g.time_zone, g.population)
                  = (w.country, w.region, w.name, w.lat, w.lng, w.time_zone, w.population))
)
UPDATE wanted_town SET n = new.n FROM new WHERE wanted_town.ctid = new.at;

-- name: new_postcodes!
-- Counts the postal codes that are not there.
WITH new AS (
    SELECT w.ctid AS at, row_number() OVER (ORDER BY w.country, w.region, w.postcode) AS n
      FROM wanted_postcode w
     WHERE NOT EXISTS (
           SELECT FROM gazetteer_postcode g
            WHERE (g.country, g.region, g.postcode, g.lat, g.lng, g.time_zone)
                  = (w.country, w.region, w.postcode, w.lat, w.lng, w.time_zone))
)
UPDATE wanted_postcode SET n = new.n FROM new WHERE wanted_postcode.ctid = new.at;

-- name: old_towns!
-- Notes the towns of these countries, of all where none is named, that are not wanted so.
INSERT INTO old_town (id)
SELECT g.id
  FROM gazetteer g
 WHERE (:countries::text[] = '{}' OR g.country = ANY (:countries))
   AND NOT EXISTS (
       SELECT FROM wanted_town w
        WHERE (g.country, g.region, g.name, g.lat, g.lng, g.time_zone, g.population)
              = (w.country, w.region, w.name, w.lat, w.lng, w.time_zone, w.population));

-- name: old_postcodes!
-- The same for postal codes.
INSERT INTO old_postcode (id)
SELECT g.id
  FROM gazetteer_postcode g
 WHERE (:countries::text[] = '{}' OR g.country = ANY (:countries))
   AND NOT EXISTS (
       SELECT FROM wanted_postcode w
        WHERE (g.country, g.region, g.postcode, g.lat, g.lng, g.time_zone)
              = (w.country, w.region, w.postcode, w.lat, w.lng, w.time_zone));

-- name: wanted_towns^
SELECT count(*) AS entries FROM wanted_town;

-- name: wanted_postcodes^
SELECT count(*) AS entries FROM wanted_postcode;

-- name: remove_towns!
DELETE FROM gazetteer g USING old_town WHERE g.id = old_town.id;

-- name: remove_postcodes!
DELETE FROM gazetteer_postcode g USING old_postcode WHERE g.id = old_postcode.id;

-- name: add_towns!
INSERT INTO gazetteer (country, region, name, lat, lng, time_zone, population)
SELECT country, region, name, lat, lng, time_zone, population FROM wanted_town WHERE n > :after AND n <= :upto;

-- name: add_postcodes!
INSERT INTO gazetteer_postcode (country, region, postcode, lat, lng, time_zone)
SELECT country, region, postcode, lat, lng, time_zone FROM wanted_postcode WHERE n > :after AND n <= :upto;

-- name: write_down!
INSERT INTO gazetteer_import (id, actor, at, source, counts) VALUES (:id, :actor, :now, :source, :counts);

-- name: refresh_statistics#
ANALYZE gazetteer, gazetteer_postcode;
